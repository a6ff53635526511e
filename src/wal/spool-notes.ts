import { access, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseWalFileName } from '../postgres/wal-name.ts';
import type { Half } from './spool.ts';

/** A warning about a file, kept until PostgreSQL asks for the file. */
export interface KeptWarning {
  readonly fields: object;
  readonly message: string;
}

/**
 * A note is this much younger than its file, and counts only while the file is the older one. A second, because some shells compare
 * whole seconds.
 */
const youngerByMs = 1_000;

/**
 * Writes the note that a file is durable in the repository.
 *
 * @param modifiedAt - of the file when it was read: once it is written to again, the note counts for nothing
 */
export async function notePushed(
  half: Half,
  fileName: string,
  { modifiedAt, warnings }: { readonly modifiedAt: Date; readonly warnings: readonly KeptWarning[] },
): Promise<void> {
  const text = warnings.map((warning) => `${JSON.stringify(warning)}\n`).join('');
  await placeNote(half, 'pushed', fileName, text, new Date(modifiedAt.getTime() + youngerByMs));
}

/** What was to be said about a file that is durable in the repository; undefined when that is not known of the file as it is now. */
export async function readPushed(half: Half, fileName: string, path: string): Promise<KeptWarning[] | undefined> {
  try {
    const notePath = join(half.path, 'pushed', fileName);
    const [note, file] = [await stat(notePath), await stat(path)];
    if (!note.isFile() || note.mtimeMs <= file.mtimeMs) return undefined;
    const lines = (await readFile(notePath, 'utf8')).split('\n');
    // Whatever stands behind the last line end is none of our writing.
    return lines.pop() === '' ? lines.map((line) => JSON.parse(line) as KeptWarning) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there is such a note, valid or not. */
export async function isNotedPushed(half: Half, fileName: string): Promise<boolean> {
  return await exists(join(half.path, 'pushed', fileName));
}

/** The files that are noted as durable. */
export async function listPushed(half: Half): Promise<string[]> {
  return await listNotes(half, 'pushed');
}

/** The files of which word of a failure was left. */
export async function listFailed(half: Half): Promise<string[]> {
  return await listNotes(half, 'failed');
}

async function listNotes(half: Half, folder: string): Promise<string[]> {
  const names = await readdir(join(half.path, folder));
  return names.filter((name) => parseWalFileName(name) !== undefined);
}

/** Forgets what was noted about a file that PostgreSQL no longer asks for. */
export async function forgetFile(half: Half, fileName: string): Promise<void> {
  await removeNote(half, 'pushed', fileName);
  await removeNote(half, 'failed', fileName);
}

/** Leaves word of a failure for the next call that asks for the file. */
export async function noteFailed(half: Half, fileName: string, message: string): Promise<void> {
  await placeNote(half, 'failed', fileName, message);
}

/** The word of a failure, which is forgotten then. */
export async function takeFailure(half: Half, fileName: string): Promise<string | undefined> {
  const message = await readFile(join(half.path, 'failed', fileName), 'utf8').catch(() => undefined);
  if (message !== undefined) await removeNote(half, 'failed', fileName);
  return message;
}

async function placeNote(half: Half, folder: string, fileName: string, text: string, time?: Date): Promise<void> {
  const temporary = join(half.path, `${folder}.${fileName}`);
  await writeFile(temporary, text, { mode: 0o600 });
  if (time !== undefined) await utimes(temporary, time, time);
  await rename(temporary, join(half.path, folder, fileName));
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** What cannot be removed stays, and goes with the half. */
async function removeNote(half: Half, folder: string, fileName: string): Promise<void> {
  await unlink(join(half.path, folder, fileName)).catch(() => undefined);
}

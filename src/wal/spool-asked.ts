import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseWalFileName } from '../postgres/wal-name.ts';
import type { Half } from './spool.ts';

/** What recovery has asked for last, as far as it did not find it fetched. */
export interface Asked {
  readonly fileName: string;
  /** Another one each time that something is asked for. */
  readonly stamp: string;
}

/** Tells the agent which segment recovery is asking for. */
export async function writeAsked(half: Half, fileName: string): Promise<void> {
  const temporary = join(half.path, `asked.${process.pid}`);
  await writeFile(temporary, fileName, { mode: 0o600 });
  await rename(temporary, join(half.path, 'asked'));
}

/** Undefined when nothing was asked for yet. */
export async function readAsked(half: Half): Promise<Asked | undefined> {
  const path = join(half.path, 'asked');
  try {
    const { ino, mtimeNs } = await stat(path, { bigint: true });
    const fileName = await readFile(path, 'utf8');
    return parseWalFileName(fileName)?.kind === 'segment' ? { fileName, stamp: `${ino} ${mtimeNs}` } : undefined;
  } catch {
    return undefined;
  }
}

import type { BigIntStats } from 'node:fs';
import { realpath, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * How the shell tells that a file has not changed: it is the one that a link of ours leads to, and its time lies between those of two
 * others. A bit of room on each side, since Node hands times over as floating-point numbers, which are exact to a quarter of a
 * microsecond.
 */
const marginNs = 2_000n;

/** Some shells compare whole seconds: two changes within one leave the same time. */
const stepMs = 1_000;

/** The kernel's clock for files may be that far behind. */
const clockLagMs = 100;

/**
 * Writes down which files they are, as the links `<n>.file`, and their times, as those of `<n>.older` and `<n>.newer`.
 *
 * @returns false when this process may have read another content than the files have now
 */
export async function markTimes(paths: readonly (string | undefined)[], folder: string): Promise<boolean> {
  for (const [index, stats] of (await statsOf(paths)).entries()) {
    if (stats === undefined) continue;
    // A change leaves its time in ctime, which cannot be set; so does a file that is moved in place of another.
    if (stepOf(Number(stats.ctimeNs / 1_000_000n)) >= stepOf(performance.timeOrigin - clockLagMs)) return false;
    await symlink(await realpath(paths[index] ?? ''), join(folder, `${index + 1}.file`));
    await writeAt(join(folder, `${index + 1}.older`), stats.mtimeNs - marginNs);
    await writeAt(join(folder, `${index + 1}.newer`), stats.mtimeNs + marginNs);
  }
  return true;
}

/** Whether each file is the same one, and as old, as when {@link markTimes} wrote it down. */
export async function areUnchanged(paths: readonly (string | undefined)[], folder: string): Promise<boolean> {
  for (const [index, stats] of (await statsOf(paths)).entries()) {
    const marks = ['file', 'older', 'newer'].map((mark) => join(folder, `${index + 1}.${mark}`));
    const [file, older, newer] = await statsOf(marks);
    if (stats === undefined && older === undefined) continue;
    if (stats === undefined || file === undefined || older === undefined || newer === undefined) return false;
    if (stats.dev !== file.dev || stats.ino !== file.ino) return false;
    if (stats.mtimeNs < older.mtimeNs || stats.mtimeNs > newer.mtimeNs) return false;
  }
  return true;
}

/** Undefined where there is no such file. */
async function statsOf(paths: readonly (string | undefined)[]): Promise<(BigIntStats | undefined)[]> {
  const statsOfOne = async (path: string) => await stat(path, { bigint: true }).catch(() => undefined);
  return await Promise.all(paths.map(async (path) => (path === undefined ? undefined : await statsOfOne(path))));
}

function stepOf(timeMs: number): number {
  return Math.floor(timeMs / stepMs);
}

async function writeAt(path: string, timeNs: bigint): Promise<void> {
  await writeFile(path, '', { mode: 0o600 });
  const seconds = Number(timeNs) / 1e9;
  await utimes(path, seconds, seconds);
}

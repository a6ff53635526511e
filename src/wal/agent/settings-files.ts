import type { BigIntStats } from 'node:fs';
import { stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * How the shell tells that a file has not changed: its time lies between those of two others. A bit of room on each side, since
 * Node hands times over as floating-point numbers, which are exact to a quarter of a microsecond.
 */
const marginNs = 2_000n;

/** Kernels count file times in steps of up to ten milliseconds: two changes within a step leave the same time. */
const stepMs = 100;

/**
 * Writes down the times of the files, as `<n>.older` and `<n>.newer`.
 *
 * @returns false when this process may have read another content than the files have now
 */
export async function markTimes(paths: readonly (string | undefined)[], folder: string): Promise<boolean> {
  for (const [index, stats] of (await statsOf(paths)).entries()) {
    if (stats === undefined) continue;
    // A change leaves its time in ctime, which cannot be set; so does a file that is moved in place of another.
    if (Number(stats.ctimeNs / 1_000_000n) > performance.timeOrigin - stepMs) return false;
    await writeAt(join(folder, `${index + 1}.older`), stats.mtimeNs - marginNs);
    await writeAt(join(folder, `${index + 1}.newer`), stats.mtimeNs + marginNs);
  }
  return true;
}

/** Whether each file is as old as when {@link markTimes} wrote it down. */
export async function areUnchanged(paths: readonly (string | undefined)[], folder: string): Promise<boolean> {
  for (const [index, stats] of (await statsOf(paths)).entries()) {
    const [older, newer] = await statsOf([join(folder, `${index + 1}.older`), join(folder, `${index + 1}.newer`)]);
    if (stats === undefined && older === undefined) continue;
    if (stats === undefined || older === undefined || newer === undefined) return false;
    if (stats.mtimeNs < older.mtimeNs || stats.mtimeNs > newer.mtimeNs) return false;
  }
  return true;
}

/** Undefined where there is no such file. */
async function statsOf(paths: readonly (string | undefined)[]): Promise<(BigIntStats | undefined)[]> {
  const statsOfOne = async (path: string) => await stat(path, { bigint: true }).catch(() => undefined);
  return await Promise.all(paths.map(async (path) => (path === undefined ? undefined : await statsOfOne(path))));
}

async function writeAt(path: string, timeNs: bigint): Promise<void> {
  await writeFile(path, '', { mode: 0o600 });
  const seconds = Number(timeNs) / 1e9;
  await utimes(path, seconds, seconds);
}

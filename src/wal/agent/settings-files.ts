import type { BigIntStats } from 'node:fs';
import { lstat, readlink, realpath, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';

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
    const path = paths[index] ?? '';
    // A change leaves its time in ctime, which cannot be set; so does a file that is moved in place of another, and a link that is led
    // elsewhere.
    const changesMs = [Number(stats.ctimeNs / 1_000_000n), ...(await linkTimesMs(path))];
    if (stepOf(Math.max(...changesMs)) >= stepOf(performance.timeOrigin - clockLagMs)) return false;
    await symlink(await realpath(path), join(folder, `${index + 1}.file`));
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

/** No path has more links; the kernel follows 40. */
const mostLinks = 100;

/** When the links on the way to a file were last changed: its own, those of its folders, and those that they lead to. */
async function linkTimesMs(path: string): Promise<number[]> {
  const times: number[] = [];
  let folder = '/';
  let names = namesOf(path);
  for (let [name] = names; name !== undefined && times.length < mostLinks; [name] = names) {
    const next = join(folder, name);
    const stats = await lstat(next).catch(() => undefined);
    names = names.slice(1);
    if (stats?.isSymbolicLink()) {
      times.push(stats.ctimeMs);
      names = [...namesOf(resolve(folder, await readlink(next))), ...names];
      folder = '/';
    } else {
      folder = next;
    }
  }
  return times;
}

function namesOf(path: string): string[] {
  return resolve(path).split(sep).slice(1);
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

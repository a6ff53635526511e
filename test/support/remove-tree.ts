import { rm } from 'node:fs/promises';

/**
 * Removes a directory with everything in it, also while others still remove files there, as Seawall's agent does for a second after
 * the end of its server. (rmSync takes the first file that is gone already for the end of its work.)
 */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5 });
}

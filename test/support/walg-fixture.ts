import { fileURLToPath } from 'node:url';

/** A path in the repositories and objects that WAL-G wrote. */
export function walgFixture(path: string): string {
  return fileURLToPath(new URL(`../fixtures/walg/${path}`, import.meta.url));
}

import { chmod, lstat, mkdir } from 'node:fs/promises';
import { IntegrityError, systemErrorCode } from '../errors.ts';
import { byteStringAsText, bytesOf } from '../util/byte-string.ts';
import { fileError } from '../util/file-error.ts';
import { parentOf } from './placement.ts';

/** The directories that a restore creates as the parts ask for them, each once. Places are byte strings. */
export interface Directories {
  /**
   * Creates the directory (0700) and what is missing above it.
   *
   * @throws {@link IntegrityError} when something else is in its place, which only a damaged or hostile backup can bring about
   */
  ensure(place: string): Promise<void>;
  /** The same, and gives it these permissions; its owner always keeps his. */
  ensureWithMode(place: string, mode: number): Promise<void>;
  /** All of them, the roots included. */
  places(): Iterable<string>;
}

const ownerBits = 0o700;

/** @param roots - places that exist; nothing is created above them */
export function createDirectories(roots: readonly string[]): Directories {
  const known = new Map<string, Promise<void>>(roots.map((root) => [root, Promise.resolve()]));
  const ensure = (place: string): Promise<void> => {
    let created = known.get(place);
    if (created === undefined) {
      created = ensure(parentOf(place)).then(() => makeDirectory(place));
      known.set(place, created);
    }
    return created;
  };
  return {
    ensure,
    async ensureWithMode(place, mode) {
      await ensure(place);
      if (mode !== ownerBits) await chmod(bytesOf(place), mode | ownerBits);
    },
    places: () => known.keys(),
  };
}

async function makeDirectory(place: string): Promise<void> {
  const path = bytesOf(place);
  const name = byteStringAsText(place);
  try {
    await mkdir(path, ownerBits);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw fileError(`cannot create ${name}`, name, error);
    if ((await lstat(path)).isDirectory()) return;
    throw new IntegrityError(`cannot create ${name}: the backup holds a file of that name as well`, { cause: error });
  }
}

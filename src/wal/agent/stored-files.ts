import type { Clock } from '../../context.ts';
import { parseWalFileName } from '../../postgres/wal-name.ts';
import type { Repository } from '../../repository/repository.ts';
import { type ArchivedWal, findWal, listSegments } from '../../repository/wal-archive.ts';
import type { CallOptions } from '../../storage/object-store.ts';

/** How old a listing may get before the repository is asked again: other hosts write there, too. */
const freshMs = 10_000;

/** So many objects of a listing are kept. */
const keptObjects = 1_000;

interface Listing {
  readonly first: string;
  /** The last name that it tells about. */
  readonly last: string;
  readonly listedAtMs: number;
  readonly objects: readonly ArchivedWal[];
}

/**
 * Answers as {@link findWal} does, for segment after segment, with one listing for all of a timeline from the first one on. Normally
 * nothing is there, so one request, or one walk through a directory of many files, serves a whole backlog.
 */
export function createStoredFiles(repository: Repository, clock: Clock): typeof findWal {
  let listing: Promise<Listing> | undefined;
  return async (_repository, fileName, options = {}) => {
    if (parseWalFileName(fileName)?.kind !== 'segment') return await findWal(repository, fileName, options);
    try {
      if (listing === undefined || !isAnswer(await listing, fileName, clock)) {
        listing = listFrom(repository, fileName, clock, options);
      }
      return (await listing).objects.filter((object) => object.fileName === fileName);
    } catch (error) {
      listing = undefined;
      throw error;
    }
  };
}

function isAnswer(listing: Listing, fileName: string, clock: Clock): boolean {
  if (fileName < listing.first || fileName > listing.last) return false;
  const ageMs = clock.now().getTime() - listing.listedAtMs;
  return ageMs >= 0 && ageMs < freshMs;
}

async function listFrom(
  repository: Repository,
  fileName: string,
  clock: Clock,
  { signal }: CallOptions,
): Promise<Listing> {
  const listedAtMs = clock.now().getTime();
  const timeline = fileName.slice(0, 8);
  const objects: ArchivedWal[] = [];
  // Without its last digit, the name sorts before all that have it.
  for await (const object of listSegments(repository, {
    namePrefix: timeline,
    startAfter: fileName.slice(0, -1),
    signal,
  })) {
    objects.push(object);
    // What is behind the last one that was kept is not known, its own other spellings included.
    if (objects.length > keptObjects) return { first: fileName, last: nameBefore(objects), listedAtMs, objects };
  }
  return { first: fileName, last: `${timeline}~`, listedAtMs, objects };
}

function nameBefore(objects: readonly ArchivedWal[]): string {
  const last = objects.at(-1)?.fileName ?? '';
  return objects.findLast(({ fileName }) => fileName < last)?.fileName ?? '';
}

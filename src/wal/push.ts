import { basename } from 'node:path';
import type { Context } from '../context.ts';
import { AlreadyExistsError, UsageError } from '../errors.ts';
import { parseWalFileName, type WalFileName } from '../postgres/wal-name.ts';
import type { Repository } from '../repository/repository.ts';
import { findWal, nameOfObject, openWal, putWal, type WalPlace, walPlace } from '../repository/wal-archive.ts';
import { formatBytes } from '../util/bytes.ts';
import { checkStart, startSizeBytes } from './check-wal.ts';
import { findDataDirectory, readCluster } from './cluster.ts';
import { withDeadline } from './deadline.ts';
import { haveSameBytes } from './same-bytes.ts';
import { openSourceFile, type SourceFile } from './source-file.ts';

export interface PushOptions {
  /** `%p` of archive_command; relative to the working directory. */
  readonly path: string;
  /** Where the data directory is, if neither above `pg_wal` nor the working directory. */
  readonly dataDirectory?: string | undefined;
  /** After this time the push is given up with a `BusyError`; without it, it may take for ever. */
  readonly deadlineMs?: number | undefined;
  /** Store segments with page magics that this version does not know, too. */
  readonly acceptUnknownMagic?: boolean | undefined;
  /** Answers in place of {@link findWal}, for who pushes many files and has a listing at hand. */
  readonly findStored?: typeof findWal | undefined;
}

export interface PushResult {
  readonly fileName: string;
  /** Where it is now stored. */
  readonly key: string;
  /** `present`: it was there before, with the same bytes. */
  readonly outcome: 'stored' | 'present';
  /** Of the plain file. */
  readonly sizeBytes: number;
  /** When the plain file was last written to. */
  readonly modifiedAt: Date;
}

/**
 * Stores one WAL file in the repository. When it resolves, the file is durable there, and PostgreSQL may remove its own.
 *
 * Never overwrites: what is stored already, in whatever compression, is compared with the file byte by byte. Safe to call again
 * after any interruption, and by several hosts at a time for the same file.
 *
 * @throws {@link UsageError} when the path does not end in a WAL file's name
 * @throws {@link IntegrityError} when the file is not what its name says, or the stored one is damaged
 * @throws {@link AlreadyExistsError} when the stored one has other bytes
 * @throws the store's and the file system's errors, and `BusyError` after the deadline
 */
export async function pushWal(repository: Repository, options: PushOptions, context: Context): Promise<PushResult> {
  const name = parsePath(options.path);
  const operation = `wal-push of ${name.fileName}`;
  return await withDeadline({ deadlineMs: options.deadlineMs, operation }, context, async (signal) => {
    await using file = await openSourceFile(options.path);
    await checkFile(file, name, options, signal);
    const place = walPlace(repository, name.fileName);
    const { sizeBytes, modifiedAt } = file;
    const result = { fileName: name.fileName, key: place.key, sizeBytes, modifiedAt };
    const { findStored = findWal } = options;
    const stored = await findStored(repository, name.fileName, { signal });
    const isElsewhere = stored.some(({ key }) => key !== place.key);
    const store = (at: WalPlace) =>
      putWal(repository, at, ({ releasesChunks = false }) => file.read({ reuseBuffer: releasesChunks }), { signal });
    // Also when its own key is taken: only the answer to a put says that what is there is durable.
    if (!isElsewhere && (await store(place))) return { ...result, outcome: 'stored' };

    await requireSameBytes(repository, isElsewhere ? stored : [place], file, signal);
    if (isElsewhere) for (const other of stored) await store(other);
    context.log.warn(
      { fileName: name.fileName, location: repository.store.location },
      'archived already, with the same bytes',
    );
    return { ...result, key: stored[0]?.key ?? place.key, outcome: 'present' };
  });
}

function parsePath(path: string): WalFileName {
  const name = parseWalFileName(basename(path));
  if (name !== undefined) return name;
  throw new UsageError(`not the path of a WAL file: ${JSON.stringify(path)}`, {
    hint: 'Set archive_command to: seawall wal-push "%p".',
  });
}

async function checkFile(
  file: SourceFile,
  name: WalFileName,
  options: PushOptions,
  signal: AbortSignal,
): Promise<void> {
  const { acceptUnknownMagic = false } = options;
  const dataDirectory = await findDataDirectory(options.path, options.dataDirectory);
  const cluster = await readCluster(dataDirectory, { acceptUnknown: acceptUnknownMagic, signal });
  const start = await file.readStart(startSizeBytes(name));
  checkStart(name, start, file.sizeBytes, { cluster, acceptUnknownMagic });
}

async function requireSameBytes(
  repository: Repository,
  places: readonly WalPlace[],
  file: SourceFile,
  signal: AbortSignal,
): Promise<void> {
  for (const place of places) {
    const stored = await openWal(repository, place, { signal });
    if (await haveSameBytes(stored.body, file.read())) continue;
    throw new AlreadyExistsError(
      `${nameOfObject(repository.store, place.key)} holds other bytes than ${file.path}: ` +
        `${formatBytes(stored.sizeBytes)}, stored at ${stored.modifiedAt.toISOString()}; ` +
        `the file is of ${file.modifiedAt.toISOString()}`,
      {
        hint: 'Two servers archive into this repository, or this one is a copy, or it was set back in time: give it a repository of its own. Nothing was overwritten.',
      },
    );
  }
}

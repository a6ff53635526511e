import pMap from 'p-map';
import type { Context } from '../context.ts';
import { AlreadyExistsError, IntegrityError } from '../errors.ts';
import { type BackupRecord, findBackup, listBackups } from '../repository/backup-catalogue.ts';
import { listObjects } from '../repository/list-objects.ts';
import type { Repository } from '../repository/repository.ts';
import { findSegmentSize } from '../repository/segment-size.ts';
import { listTimelines } from '../repository/wal-inventory.ts';
import type { ObjectInfo } from '../storage/object-store.ts';
import { findMissingWal } from './check-gaps.ts';
import { planCopy } from './plan.ts';

export interface CopyOptions {
  /** A name, or LATEST; without it everything is copied. */
  readonly backup?: string | undefined;
  /** With a backup: just the WAL that makes it consistent, and not what came later. */
  readonly onlyToConsistency: boolean;
  /** Told after each object. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

export interface CopyProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface CopyResult {
  readonly copiedCount: number;
  readonly copiedBytes: number;
  /** Objects that were there already. */
  readonly skippedCount: number;
}

/** As WAL-G has it: hides the latency of two stores without being throttled by them. */
const copiesAtOnce = 8;

/**
 * Copies a backup, or everything, to another repository: the stored bytes as they are, neither decoded nor encrypted anew, so the
 * destination needs the keys of the source. Sentinels come last: what is interrupted is no backup yet, and the next copy goes on where
 * this one ended.
 *
 * @throws {@link NotFoundError} when there is no such backup
 * @throws {@link IntegrityError} when WAL is missing without which the backup that is asked for cannot become consistent, or the
 *   destination holds backups of another cluster
 * @throws {@link AlreadyExistsError} before anything is copied, when the destination has another object under one of the keys
 */
export async function copyRepository(
  source: Repository,
  destination: Repository,
  options: CopyOptions,
  context: Context,
): Promise<CopyResult> {
  const { signal, log } = context;
  const damaged: string[] = [];
  const backups = await listBackups(source, {
    signal,
    onDamaged: ({ name, error }) => {
      damaged.push(name);
      log.warn({ backup: name, err: error }, 'backup cannot be read, and is copied as it is');
    },
  });
  // After the backups: of one that is completed while they are listed, not all parts would be among the objects.
  const objects = await listObjects(source, { signal });
  const segmentSizeBytes = await findSegmentSize(source, backups, { signal });
  const backup = options.backup === undefined ? undefined : await findBackup(source, options.backup, { signal });
  await checkWal(backup === undefined ? backups : [backup]);

  await refuseForeign(backups, destination, context);
  const present = new Map((await listObjects(destination, { signal })).map(({ key, sizeBytes }) => [key, sizeBytes]));
  const facts = { backups, damaged, objects, present, segmentSizeBytes };
  const plan = planCopy(facts, { backup, onlyToConsistency: options.onlyToConsistency });
  const bytesTotal = [...plan.objects, ...plan.sentinels].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let bytesDone = 0;
  await pMap(plan.objects, copyOne, { concurrency: copiesAtOnce, signal });
  for (const sentinel of plan.sentinels) await copyOne(sentinel);
  return {
    copiedCount: plan.objects.length + plan.sentinels.length,
    copiedBytes: bytesTotal,
    skippedCount: plan.skippedCount,
  };

  async function checkWal(concerned: readonly BackupRecord[]): Promise<void> {
    const timelines = await listTimelines(source, segmentSizeBytes, { signal });
    for (const each of concerned) {
      const { toConsistency, afterwards } = findMissingWal(each, timelines, segmentSizeBytes);
      if (toConsistency !== undefined && backup !== undefined) {
        throw new IntegrityError(
          `cannot copy backup ${each.name}: it needs WAL segment ${toConsistency}, which is missing`,
          {
            hint: 'Without it the backup cannot be restored: choose another one.',
          },
        );
      }
      const segment = toConsistency ?? afterwards;
      if (segment !== undefined) log.warn({ backup: each.name, segment }, 'WAL behind the backup is missing');
    }
  }

  async function copyOne({ key, sizeBytes }: ObjectInfo): Promise<void> {
    const body = () => readObject(source, key, sizeBytes, signal);
    try {
      await destination.store.put(key, body, { ifAbsent: true, signal });
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
      // A first attempt may have stored it although its answer was lost, or another copy is under way.
      if ((await destination.store.head(key, { signal })).sizeBytes !== sizeBytes) throw error;
    }
    bytesDone += sizeBytes;
    options.onProgress?.({ bytesDone, bytesTotal });
  }
}

/** WAL of different clusters has the same names, and uncompressed the same sizes. */
async function refuseForeign(
  backups: readonly BackupRecord[],
  destination: Repository,
  { signal }: Context,
): Promise<void> {
  const ours = new Set(backups.flatMap(({ systemIdentifier }) => systemIdentifier ?? []));
  const theirs = await listBackups(destination, { signal, onDamaged: () => undefined });
  const foreign = theirs.find(({ systemIdentifier }) => systemIdentifier !== undefined && !ours.has(systemIdentifier));
  if (foreign === undefined || ours.size === 0) return;
  throw new IntegrityError(
    `cannot copy to ${destination.store.location}: it holds backup ${foreign.name} of another cluster, ${foreign.systemIdentifier}`,
    { hint: 'Give each cluster a prefix of its own.' },
  );
}

async function* readObject(
  { store }: Repository,
  key: string,
  sizeBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const object = await store.get(key, { signal });
  if (object.sizeBytes !== sizeBytes) {
    await object.body[Symbol.asyncIterator]().return?.();
    throw new IntegrityError(
      `cannot copy ${key}: it has ${object.sizeBytes} bytes, and had ${sizeBytes} a moment ago`,
      {
        hint: 'Somebody has stored it anew: start the copy again.',
      },
    );
  }
  yield* object.body;
}

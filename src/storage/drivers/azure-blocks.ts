import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../../context.ts';
import type { StoreError } from '../../errors.ts';
import type { RetryPolicy } from '../../util/back-off.ts';
import { type Part, uploadParts } from '../parts.ts';
import { type AzureContainer, callAzure } from './azure-container.ts';
import { azureCode } from './azure-failure.ts';
import { repeatPart } from './repeat-part.ts';

export interface BlocksOptions {
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal | undefined;
  /** Blocks in memory at the same time. */
  readonly concurrency: number;
  /** How long one block is tried again. */
  readonly retry: RetryPolicy;
  readonly clock: Clock;
}

/**
 * Stores a blob in blocks. Nobody sees any of it before the list of blocks is committed, which the service does wholly or not
 * at all. Blocks that are never committed cannot be removed alone; the service drops them with the next commit or put of that
 * blob, and after a week otherwise. They are not listed and not readable.
 */
export async function putInBlocks(
  container: AzureContainer,
  key: string,
  parts: AsyncIterable<Part>,
  { ifAbsent, signal, concurrency, retry, clock }: BlocksOptions,
): Promise<void> {
  const blob = container.client.getBlockBlobClient(key);
  const idOf = blockIds();
  const repeat = { policy: retry, clock, isLost };
  const stageBlock = async (bytes: Uint8Array, number: number, abort: AbortSignal): Promise<string> => {
    const action = `store block ${number} of ${key} in ${container.location}`;
    const transactionalContentMD5 = createHash('md5').update(bytes).digest();
    await callAzure(container, action, { signal: abort, bodyBytes: bytes.length }, (abortSignal) =>
      blob.stageBlock(idOf(number), bytes, bytes.length, { abortSignal, transactionalContentMD5 }),
    );
    return idOf(number);
  };
  const ids = await uploadParts(
    parts,
    (bytes, number, { stop, leave }) => repeatPart(() => stageBlock(bytes, number, leave), stop, repeat),
    { concurrency, signal, graceMs: 0 },
  );
  const conditions = ifAbsent ? { ifNoneMatch: '*' } : {};
  const commit = () =>
    callAzure(container, `store ${key} in ${container.location}`, { signal }, (abortSignal) =>
      blob.commitBlockList(ids, { abortSignal, conditions }),
    );
  await repeatPart(commit, signal, repeat);
}

/** Somebody else stored this blob meanwhile, which drops all blocks that were waiting. */
export function isLost(error: StoreError): boolean {
  return azureCode(error.cause) === 'InvalidBlockList';
}

/**
 * Names of blocks, in base64. They are random for each upload, since hosts that store the same blob at the same time share its
 * uncommitted blocks; and 64 bytes long as those of Azure's SDK for Go, which WAL-G uses, since all that wait under one blob must
 * be of one length.
 *
 * @see Azure Storage REST API, "Put Block": remarks on the length of the block id
 */
function blockIds(): (number: number) => string {
  const upload = randomUUID();
  return (number) => Buffer.from(`${upload}-${number}`.padEnd(64, '-')).toString('base64');
}

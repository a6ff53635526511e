import { describe, expect, it } from 'vitest';
import { createContext } from '../../../src/context.ts';
import { createGcsStore } from '../../../src/storage/drivers/gcs.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { inChunks, walLikeBytes } from '../../support/byte-streams.ts';
import { type ChunkFault, type ResumableServer, startResumableServer } from '../../support/resumable-server.ts';

const mebibyte = 1024 * 1024;
const partSizeBytes = 5 * mebibyte;

function connect(server: ResumableServer): ObjectStore {
  const retry = { initialDelayMs: 5, maximumDelayMs: 20, deadlineMs: 500 };
  return createGcsStore(
    { bucket: 'b', apiEndpoint: server.url, environment: {}, retry, partSizeBytes },
    createContext(),
  );
}

async function upload(sizeBytes: number, ...faults: (ChunkFault | undefined)[]) {
  await using server = await startResumableServer();
  await using store = connect(server);
  server.faults.push(...faults);
  const bytes = walLikeBytes(sizeBytes);
  const failure = await store
    .put('object', () => inChunks(bytes, mebibyte))
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return {
    failure,
    isWhole: server.stored?.equals(bytes) ?? false,
    ranges: server.ranges,
    isCancelled: server.isCancelled,
  };
}

describe('an upload in parts to Google', () => {
  it('tells the size of the object with its last part', async () => {
    const [first, second] = [partSizeBytes, 2 * partSizeBytes];
    expect(await upload(second + 10)).toMatchObject({
      isWhole: true,
      ranges: [
        `bytes 0-${first - 1}/*`,
        `bytes ${first}-${second - 1}/*`,
        `bytes ${second}-${second + 9}/${second + 10}`,
      ],
    });
    expect((await upload(second)).ranges.at(-1)).toBe(`bytes ${first}-${second - 1}/${second}`);
  });

  it('sends on where the service stopped keeping', async () => {
    const { isWhole, ranges } = await upload(2 * partSizeBytes, { kind: 'keeps', bytes: mebibyte });
    expect(isWhole).toBe(true);
    expect(ranges[1]).toBe(`bytes ${mebibyte}-${partSizeBytes - 1}/*`);
  });

  it.each<[string, ChunkFault, number]>([
    ['lost everything', { kind: 'breaks', afterBytes: 0 }, 0],
    ['kept a part of it', { kind: 'breaks', afterBytes: 2 * mebibyte }, 2 * mebibyte],
    ['said it was busy', { kind: 'answers', status: 503 }, 0],
  ])('asks after a fault how far it is, and sends the rest, when the service %s', async (_, fault, kept) => {
    const { isWhole, ranges } = await upload(2 * partSizeBytes, undefined, fault);
    expect(isWhole).toBe(true);
    expect(ranges.slice(2)).toEqual([
      'bytes */*',
      `bytes ${partSizeBytes + kept}-${2 * partSizeBytes - 1}/${2 * partSizeBytes}`,
    ]);
  });

  it('goes on when a part had arrived whose answer was lost', async () => {
    const lost: ChunkFault = { kind: 'breaks', afterBytes: partSizeBytes };
    const middle = await upload(3 * partSizeBytes, undefined, lost);
    expect(middle).toMatchObject({ isWhole: true, failure: undefined });
    expect(middle.ranges.length).toBe(4);
    const last = await upload(2 * partSizeBytes, undefined, lost);
    expect(last).toMatchObject({ isWhole: true, failure: undefined });
    expect(last.ranges.at(-1)).toBe('bytes */*');
  });

  it('begins anew when the service has forgotten the upload', async () => {
    const { failure, isCancelled } = await upload(2 * partSizeBytes, undefined, { kind: 'answers', status: 410 });
    expect(failure).toMatchObject({ code: 'STORE', retryable: true });
    expect(isCancelled).toBe(true);
  });

  it('gives up a service that keeps nothing', async () => {
    const nothing = Array.from({ length: 1000 }, (): ChunkFault => ({ kind: 'keeps', bytes: 0 }));
    const { failure, isCancelled, isWhole } = await upload(2 * partSizeBytes, ...nothing);
    expect(failure).toMatchObject({ code: 'STORE', retryable: false });
    expect({ isCancelled, isWhole }).toEqual({ isCancelled: true, isWhole: false });
  });
});

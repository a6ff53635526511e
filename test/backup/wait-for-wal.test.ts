import { describe, expect, it } from 'vitest';
import { type WalSpan, waitForWal } from '../../src/backup/wait-for-wal.ts';
import { noneCodec } from '../../src/codec/none.ts';
import { type Clock, createContext } from '../../src/context.ts';
import { BusyError } from '../../src/errors.ts';
import { defaultSegmentSizeBytes } from '../../src/postgres/wal-name.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';

const span: WalSpan = {
  first: { timeline: 1, segmentNumber: 0xfen },
  last: { timeline: 1, segmentNumber: 0x101n },
  segmentSizeBytes: defaultSegmentSizeBytes,
};
const segments = [
  '0000000100000000000000FE',
  '0000000100000000000000FF',
  '000000010000000100000000',
  '000000010000000100000001',
];

/** A clock that jumps instead of sleeping; what arrives at which second is told. */
function archiveOverTime(arrivals: Record<number, string[]>) {
  const store = createMemoryStore();
  let nowMs = 0;
  const clock: Clock = {
    now: () => new Date(nowMs),
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      const before = nowMs;
      nowMs += ms;
      for (const [second, names] of Object.entries(arrivals)) {
        const atMs = Number(second) * 1000;
        if (atMs <= before || atMs > nowMs) continue;
        for (const name of names) await store.put(`wal_005/${name}`, new Uint8Array());
      }
    },
  };
  return { repository: createRepository(store, noneCodec), clock, seconds: () => nowMs / 1000 };
}

describe('the wait for the WAL of a backup', () => {
  it('ends at once when every segment is there, whatever its compression', async () => {
    const { repository, clock, seconds } = archiveOverTime({});
    for (const [index, name] of segments.entries()) {
      await repository.store.put(`wal_005/${name}${['', '.zst', '.lz4', '.br'][index]}`, new Uint8Array());
    }
    await waitForWal(repository, span, 1000, createContext({ clock }));
    expect(seconds()).toBe(0);
  });

  it('ends when the last segment arrives, in whatever order they come', async () => {
    const [first = '', second = '', third = '', fourth = ''] = segments;
    const { repository, clock, seconds } = archiveOverTime({ 2: [fourth, second], 3: [first], 5: [third] });
    await waitForWal(repository, span, 60_000, createContext({ clock }));
    expect(seconds()).toBeCloseTo(5.55);
  });

  it('fails after the deadline and names the first missing segment', async () => {
    const { repository, clock } = archiveOverTime({ 1: [segments[0] ?? '', segments[2] ?? ''] });
    const waiting = waitForWal(repository, span, 60_000, createContext({ clock }));
    await expect(waiting).rejects.toThrow(BusyError);
    await expect(waiting).rejects.toThrow(
      'wal segment 0000000100000000000000FF has not arrived in memory:// after 1 min',
    );
  });

  it('goes on as long as segments keep arriving', async () => {
    const arrivals = Object.fromEntries(segments.map((name, index) => [(index + 1) * 50, [name]]));
    const { repository, clock, seconds } = archiveOverTime(arrivals);
    await waitForWal(repository, span, 60_000, createContext({ clock }));
    expect(seconds()).toBeCloseTo(200.55);
  });

  it('is not content with a partial segment, a backup history file or another timeline', async () => {
    const { repository, clock } = archiveOverTime({});
    for (const name of segments.slice(1)) await repository.store.put(`wal_005/${name}`, new Uint8Array());
    for (const name of [`${segments[0]}.partial`, `${segments[0]}.00000028.backup.zst`, '0000000200000000000000FE']) {
      await repository.store.put(`wal_005/${name}`, new Uint8Array());
    }
    await expect(waitForWal(repository, span, 1000, createContext({ clock }))).rejects.toThrow(
      '0000000100000000000000FE',
    );
  });

  it('ends with the reason of an abort', async () => {
    const { repository, clock } = archiveOverTime({});
    const signal = AbortSignal.abort(new Error('interrupted'));
    await expect(waitForWal(repository, span, 1000, createContext({ clock, signal }))).rejects.toThrow('interrupted');
  });
});

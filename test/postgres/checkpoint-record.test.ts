import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { checkpointsOnPage, walPageSizeBytes } from '../../src/postgres/checkpoint-record.ts';
import { formatLsn, type Lsn, parseLsn } from '../../src/postgres/lsn.ts';
import { inChunks, joined } from '../support/byte-streams.ts';
import { walgFixture } from '../support/walg-fixture.ts';

/** In this segment a base backup has begun, with a checkpoint. */
const startLsn = parseLsn('0/2000000');

let segment: Buffer;

beforeAll(async () => {
  const stored = readFileSync(walgFixture('zstd-deltas/repo/wal_005/000000010000000000000002.zst'));
  segment = await joined(createCodec('zstd').decode(inChunks(stored, 65_536)));
});

const pageAt = (index: number): Buffer => segment.subarray(index * walPageSizeBytes, (index + 1) * walPageSizeBytes);

describe('checkpoints on a page of the log', () => {
  it('are found with the position at which recovery begins', () => {
    const found = Array.from({ length: segment.length / walPageSizeBytes }, (_, index) =>
      checkpointsOnPage(pageAt(index), (startLsn + BigInt(index * walPageSizeBytes)) as Lsn),
    ).flat();
    expect(found.map(({ lsn, redoLsn }) => [formatLsn(lsn), formatLsn(redoLsn)])).toEqual([['0/2000080', '0/2000028']]);
  });

  it('are none on a page that says another position, as in a segment to be used again', () => {
    expect(checkpointsOnPage(pageAt(0), parseLsn('0/3000000'))).toEqual([]);
  });

  it('are none where a single bit of the record is wrong', () => {
    for (let byte = 0x80; byte < 0x80 + 114; byte += 1) {
      const damaged = Buffer.from(pageAt(0));
      damaged[byte] = (damaged[byte] ?? 0) ^ 0x10;
      expect(checkpointsOnPage(damaged, startLsn)).toEqual([]);
    }
  });
});

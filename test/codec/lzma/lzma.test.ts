import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatLzmaHeader, writtenHeader } from '../../../src/codec/lzma/header.ts';
import { lzmaCodec } from '../../../src/codec/lzma/lzma.ts';
import * as model from '../../../src/codec/lzma/model.ts';
import { createRangeEncoder } from '../../../src/codec/lzma/range-encoder.ts';
import { IntegrityError } from '../../../src/errors.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';
import { hasCommand } from '../../support/commands.ts';
import { itIsReversible } from '../../support/reversible-contract.ts';

const mebibyte = 1024 * 1024;

const encoded = (bytes: Uint8Array): Promise<Buffer> => joined(lzmaCodec.encode(inChunks(bytes, 100_003)));
const decoded = (stored: Uint8Array): Promise<Buffer> => joined(lzmaCodec.decode(inChunks(stored, 4099)));

describe('lzma', () => {
  itIsReversible(
    { write: lzmaCodec.encode, read: lzmaCodec.decode },
    { noticesEveryChange: false, readAheadBytes: mebibyte, largestChunkBytes: mebibyte },
  );

  it("writes the header that WAL-G's objects have, and an end mark", async () => {
    const stored = await encoded(Buffer.alloc(0));
    expect(stored.toString('hex')).toBe('5d00008000ffffffffffffffff0083fffbffffc0000000');
  });

  it('compresses what repeats, also some way back', async () => {
    const noise = randomBytes(100_000);
    const stored = await encoded(Buffer.concat([noise, Buffer.alloc(mebibyte / 2), noise]));
    expect(stored.length).toBeLessThan(105_000);
  });

  it('refuses data whose header asks for more than 64 MiB of memory', async () => {
    const stored = await encoded(walLikeBytes(100));
    stored.writeUInt32LE(64 * mebibyte + 1, 1);
    await expect(decoded(stored)).rejects.toThrow('more than 64 MiB');
  });

  it('refuses data that does not begin with a header', async () => {
    await expect(decoded(Buffer.alloc(100, 0xff))).rejects.toThrow('lzma data has no lzma header');
  });

  it('refuses a match that reaches back before the beginning', async () => {
    const stored = await encoded(Buffer.alloc(1000));
    stored.fill(0xff, 18);
    await expect(decoded(stored)).rejects.toThrow(IntegrityError);
  });

  it('reads data whose size is in the header, with and without an end mark', async () => {
    const bytes = walLikeBytes(70_000);
    const marked = await encoded(bytes);
    marked.writeBigUInt64LE(BigInt(bytes.length), 5);
    expect((await decoded(marked)).equals(bytes)).toBe(true);
    expect((await decoded(literalsWithoutEndMark(bytes))).equals(bytes)).toBe(true);
    await expect(decoded(Buffer.concat([literalsWithoutEndMark(bytes), Buffer.alloc(1)]))).rejects.toThrow(
      'followed by',
    );
  });

  it.for([1n, 69_999n, 70_001n])('refuses data that has not the size in its header: %s', async (sizeBytes) => {
    const stored = await encoded(walLikeBytes(70_000));
    stored.writeBigUInt64LE(sizeBytes, 5);
    await expect(decoded(stored)).rejects.toThrow(IntegrityError);
  });
});

/** What an encoder without any matches writes: the size in the header, and one literal for each byte. */
function literalsWithoutEndMark(bytes: Uint8Array): Buffer {
  const coder = createRangeEncoder(model.createProbabilities(3));
  let before = 0;
  for (const [position, byte] of bytes.entries()) {
    coder.bit(model.isMatch + (position & 3), 0);
    coder.tree(model.literals + model.literalSize * (before >>> 5), 8, byte);
    before = byte;
  }
  coder.finish();
  return Buffer.concat([formatLzmaHeader({ ...writtenHeader, plainSizeBytes: BigInt(bytes.length) }), coder.take()]);
}

describe.skipIf(!hasCommand('xz'))('lzma and the command xz (skipped where it is not installed)', () => {
  const xz = (input: Uint8Array, ...options: string[]): Buffer =>
    execFileSync('xz', ['--format=lzma', '-c', ...options], { input, maxBuffer: 64 * mebibyte });
  const contents: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from('x')],
    ['noise', randomBytes(100_000)],
    ['one byte all over', Buffer.alloc(3 * mebibyte, 'a')],
    ['records', walLikeBytes(mebibyte)],
    ['text', Buffer.from(Array.from({ length: 20_000 }, (_, row) => `row ${row * 7919} of ${row % 13}\n`).join(''))],
    ['a program', readFileSync(process.execPath).subarray(0, 2 * mebibyte)],
  ];

  it.for(contents)('writes %s as xz reads it', async ([, bytes]) => {
    expect(xz(await encoded(bytes), '-d').equals(bytes)).toBe(true);
  });

  it.for(contents)('reads %s as xz writes it', async ([, bytes]) => {
    for (const options of [['-0'], ['-6'], ['--lzma1=preset=6,lc=0,lp=4,pb=0'], ['--lzma1=preset=6,lc=4,lp=0,pb=4']]) {
      expect((await decoded(xz(bytes, ...options))).equals(bytes), options.join(' ')).toBe(true);
    }
  });
});

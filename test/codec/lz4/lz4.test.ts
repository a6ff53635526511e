import { execFileSync } from 'node:child_process';
import { xxh32 } from '@node-rs/xxhash';
import { compressFrameSync, compressSync } from 'lz4-napi';
import { describe, expect, it } from 'vitest';
import { lz4Codec } from '../../../src/codec/lz4/lz4.ts';
import { IntegrityError } from '../../../src/errors.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';
import { hasCommand } from '../../support/commands.ts';
import { itIsReversible } from '../../support/reversible-contract.ts';

const mebibyte = 1024 * 1024;

const encoded = (bytes: Uint8Array): Promise<Buffer> => joined(lz4Codec.encode(inChunks(bytes, 100_003)));
const decoded = (...parts: readonly Uint8Array[]): Promise<Buffer> =>
  joined(lz4Codec.decode(inChunks(Buffer.concat(parts), 4099)));

describe('lz4', () => {
  itIsReversible(
    { write: lz4Codec.encode, read: lz4Codec.decode },
    { noticesEveryChange: true, readAheadBytes: 8 * mebibyte, largestChunkBytes: 4 * mebibyte + 4 },
  );

  it("writes the header that WAL-G's objects have", async () => {
    expect((await encoded(Buffer.from('x'))).subarray(0, 7).toString('hex')).toBe('04224d186470b9');
  });

  it('writes one frame with an end mark and the checksum of the content', async () => {
    const bytes = walLikeBytes(9 * mebibyte);
    const stored = await encoded(bytes);
    expect(stored.readUInt32LE(stored.length - 8)).toBe(0);
    expect(stored.readUInt32LE(stored.length - 4)).toBe(xxh32(bytes));
    expect(blockSizes(stored).length).toBe(5);
  });

  it('stores blocks as they are where compression makes them larger', async () => {
    const bytes = Buffer.from('one two');
    const stored = await encoded(bytes);
    expect(stored.readUInt32LE(7)).toBe((0x8000_0000 | bytes.length) >>> 0);
    expect(stored.subarray(11, 11 + bytes.length)).toEqual(bytes);
  });

  it('reads frames one after another and passes over skippable ones', async () => {
    const bytes = walLikeBytes(70_000);
    const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const empty = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    const frame = await encoded(bytes);
    const restored = await decoded(skippable, empty, frame, skippable, await encoded(Buffer.alloc(0)), frame, empty);
    expect(restored.equals(Buffer.concat([bytes, bytes]))).toBe(true);
  });

  it('refuses an object of skippable frames alone', async () => {
    await expect(decoded(Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]))).rejects.toThrow('lz4 data is truncated');
  });

  it('reads frames without any checksum, and frames with one for each block', async () => {
    const bytes = walLikeBytes(300_000);
    for (const checksums of [{}, { blockChecksums: true }, { blockChecksums: true, contentChecksum: true }]) {
      expect((await decoded(compressFrameSync(bytes, checksums))).equals(bytes)).toBe(true);
    }
  });

  it('notices a flipped bit by the checksum of its block', async () => {
    const stored = compressFrameSync(walLikeBytes(1000), { blockChecksums: true });
    stored[stored.length - 20] = (stored[stored.length - 20] ?? 0) ^ 1;
    await expect(decoded(stored)).rejects.toThrow('lz4 block does not match its checksum');
  });

  it('refuses a frame whose content is not as long as its header says', async () => {
    const frame = (sizeBytes: number): Buffer => frameOf(0b0110_1000, 0x40, sizeField(sizeBytes), [walLikeBytes(1000)]);
    expect((await decoded(frame(1000))).equals(walLikeBytes(1000))).toBe(true);
    await expect(decoded(frame(1001))).rejects.toThrow('lz4 frame has 1000 bytes instead of 1001');
  });

  it('refuses blocks that are larger than their frame allows', async () => {
    const tooLarge = Buffer.alloc(64 * 1024 + 1);
    await expect(decoded(frameOf(0b0110_0000, 0x40, [], [tooLarge]))).rejects.toThrow(IntegrityError);
    const stored = compressSync(tooLarge).subarray(4);
    const compressed = Buffer.concat([header(0b0110_0000, 0x40, []), uint32(stored.length), stored, uint32(0)]);
    await expect(decoded(compressed)).rejects.toThrow('lz4 block is damaged');
  });

  it.for([
    ['another version', 0b1010_0000, 0x40],
    ['a reserved flag', 0b0110_0010, 0x40],
    ['reserved bits of the block size', 0b0110_0000, 0x41],
    ['a block size that does not exist', 0b0110_0000, 0x30],
  ] as const)('refuses a header with %s', async ([, flags, blockDescriptor]) => {
    await expect(decoded(frameOf(flags, blockDescriptor, [], []))).rejects.toThrow('header of an unknown version');
  });

  it('refuses frames that need a dictionary', async () => {
    await expect(decoded(frameOf(0b0110_0001, 0x40, [1, 2, 3, 4], []))).rejects.toThrow('without the dictionary');
  });

  it('refuses the legacy format', async () => {
    await expect(decoded(Buffer.from([0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0]))).rejects.toThrow('lz4 data has no frame');
  });
});

describe.skipIf(!hasCommand('lz4'))('lz4 and the command of that name (skipped where it is not installed)', () => {
  it.for([
    ['-B4', '-BD'],
    ['-B4', '-BI', '-BX'],
    ['-B5', '-BD', '-9'],
    ['-B6', '--content-size'],
    ['-B7', '-BD', '--no-frame-crc'],
    ['-B7', '-BI'],
  ])('reads what lz4 %s %s %s writes', async (options) => {
    const bytes = Buffer.concat([walLikeBytes(3_000_000), Buffer.alloc(500_000), walLikeBytes(3_000_000)]);
    const stored = execFileSync('lz4', ['-q', '-c', ...options], { input: bytes, maxBuffer: 64 * mebibyte });
    expect((await decoded(stored)).equals(bytes)).toBe(true);
  });

  it('writes what lz4 reads', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), walLikeBytes(9 * mebibyte)]) {
      const restored = execFileSync('lz4', ['-q', '-d', '-c'], {
        input: await encoded(bytes),
        maxBuffer: 64 * mebibyte,
      });
      expect(restored.equals(bytes)).toBe(true);
    }
  });
});

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function sizeField(sizeBytes: number): readonly number[] {
  return [...uint32(sizeBytes), 0, 0, 0, 0];
}

function header(flags: number, blockDescriptor: number, fields: readonly number[]): Buffer {
  const descriptor = Buffer.from([flags, blockDescriptor, ...fields]);
  return Buffer.concat([uint32(0x184d2204), descriptor, Buffer.from([(xxh32(descriptor) >>> 8) & 0xff])]);
}

/** A frame of blocks stored as they are. */
function frameOf(flags: number, blockDescriptor: number, fields: readonly number[], blocks: readonly Buffer[]): Buffer {
  const stored = blocks.flatMap((block) => [uint32((0x8000_0000 | block.length) >>> 0), block]);
  return Buffer.concat([header(flags, blockDescriptor, fields), ...stored, uint32(0)]);
}

/** The stored sizes of the blocks of a frame with the header that we write. */
function blockSizes(frame: Buffer): number[] {
  const sizes: number[] = [];
  for (let offset = 7; frame.readUInt32LE(offset) !== 0; ) {
    const sizeBytes = frame.readUInt32LE(offset) & 0x7fff_ffff;
    sizes.push(sizeBytes);
    offset += 4 + sizeBytes;
  }
  return sizes;
}

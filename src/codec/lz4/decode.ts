import { IntegrityError } from '../../errors.ts';
import { type ByteReader, createByteReader } from '../../util/byte-reader.ts';
import {
  descriptorSizeBytes,
  isSkippableMagic,
  type Lz4Frame,
  lz4FrameMagic,
  parseDescriptor,
  shortestDescriptorBytes,
} from './frame.ts';
import { type Lz4Library, loadLz4 } from './library.ts';
import { storedPlainFlag } from './pack-block.ts';

/** How far back a block may refer to the ones before it. */
const historySizeBytes = 64 * 1024;

/** Restores the plain bytes of one or more frames, passing over skippable ones. */
export async function* decodeLz4(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const lz4 = await loadLz4();
  await using reader = createByteReader(source);
  for (let hasContent = false; ; ) {
    const bytes = await reader.read(4);
    if (bytes.length === 0 && hasContent) return;
    const magic = toUInt32(bytes, 4);
    if (isSkippableMagic(magic)) {
      await skipFrame(reader);
    } else if (magic === lz4FrameMagic) {
      yield* decodeFrame(reader, lz4);
      hasContent = true;
    } else {
      throw new IntegrityError(hasContent ? 'lz4 data is followed by something else' : 'lz4 data has no frame');
    }
  }
}

async function skipFrame(reader: ByteReader): Promise<void> {
  const sizeBytes = await readUInt32(reader);
  if ((await reader.skip(sizeBytes)) < sizeBytes) throw truncated();
}

async function* decodeFrame(reader: ByteReader, lz4: Lz4Library): AsyncGenerator<Uint8Array> {
  const frame = await readDescriptor(reader, lz4);
  const checksum = frame.hasContentChecksum ? lz4.createChecksum() : undefined;
  let sizeBytes = 0n;
  for await (const plain of decodeBlocks(reader, frame, lz4)) {
    checksum?.update(plain);
    sizeBytes += BigInt(plain.length);
    yield plain;
  }
  if (sizeBytes !== (frame.contentSizeBytes ?? sizeBytes)) {
    throw new IntegrityError(`lz4 frame has ${sizeBytes} bytes instead of ${frame.contentSizeBytes}`);
  }
  if (checksum !== undefined && (await readUInt32(reader)) !== checksum.digest()) {
    throw new IntegrityError('lz4 data does not match its checksum');
  }
}

async function readDescriptor(reader: ByteReader, lz4: Lz4Library): Promise<Lz4Frame> {
  const first = await reader.read(shortestDescriptorBytes);
  const restSizeBytes = descriptorSizeBytes(first[0] ?? 0) - first.length;
  const rest = await reader.read(restSizeBytes);
  const [checksum] = await reader.read(1);
  if (checksum === undefined) throw truncated();
  return parseDescriptor(Buffer.concat([first, rest]), checksum, lz4);
}

/** The plain bytes of the blocks, one after another; where they depend on each other, each is read with the 64 KiB before it. */
async function* decodeBlocks(reader: ByteReader, frame: Lz4Frame, lz4: Lz4Library): AsyncGenerator<Uint8Array> {
  let history: Uint8Array | undefined;
  for await (const { bytes, isPlain } of readBlocks(reader, frame, lz4)) {
    const plain = isPlain ? bytes : lz4.unpack(bytes, frame.maximumBlockSizeBytes, history);
    if (!frame.hasIndependentBlocks) history = lastBytes(history, plain);
    yield plain;
  }
}

function lastBytes(before: Uint8Array | undefined, bytes: Uint8Array): Uint8Array {
  if (before === undefined || bytes.length >= historySizeBytes) return bytes.slice(-historySizeBytes);
  return Buffer.concat([before, bytes]).subarray(-historySizeBytes);
}

interface Block {
  readonly bytes: Uint8Array;
  /** Whether the bytes are stored as they are. */
  readonly isPlain: boolean;
}

/** The blocks of a frame up to its end mark, as they are stored. */
async function* readBlocks(reader: ByteReader, frame: Lz4Frame, lz4: Lz4Library): AsyncGenerator<Block> {
  for (;;) {
    const sizeField = await readUInt32(reader);
    if (sizeField === 0) return;
    const isPlain = (sizeField & storedPlainFlag) !== 0;
    const sizeBytes = isPlain ? (sizeField ^ storedPlainFlag) >>> 0 : sizeField;
    if (sizeBytes > frame.maximumBlockSizeBytes) throw new IntegrityError('lz4 block is larger than its frame allows');
    const bytes = await reader.read(sizeBytes);
    if (bytes.length < sizeBytes) throw truncated();
    if (frame.hasBlockChecksums && (await readUInt32(reader)) !== lz4.checksum(bytes)) {
      throw new IntegrityError('lz4 block does not match its checksum');
    }
    yield { bytes, isPlain };
  }
}

async function readUInt32(reader: ByteReader): Promise<number> {
  return toUInt32(await reader.read(4), 4);
}

function toUInt32(bytes: Uint8Array, sizeBytes: number): number {
  if (bytes.length < sizeBytes) throw truncated();
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
}

function truncated(): IntegrityError {
  return new IntegrityError('lz4 data is truncated');
}

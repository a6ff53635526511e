import { IntegrityError } from '../../errors.ts';
import { createByteReader } from '../../util/byte-reader.ts';
import { inBlocks } from '../../util/in-blocks.ts';
import { loadOnce } from '../../util/load-once.ts';
import type { Cipher } from '../cipher.ts';
import type { KeySource } from '../key-material.ts';
import { type LibsodiumKeyTransform, readLibsodiumKey } from './key.ts';
import { loadSecretStreams, type SecretStreams } from './library.ts';

export interface LibsodiumOptions extends KeySource {
  /** `none` unless told otherwise. */
  readonly keyTransform?: LibsodiumKeyTransform | undefined;
}

const headerSizeBytes = 24;
const tagSizeBytes = 17;

/** Plain bytes of all chunks but the last, which is shorter: empty when the plain bytes are a multiple of this. */
const chunkSizeBytes = 8192;
const storedChunkSizeBytes: number = chunkSizeBytes + tagSizeBytes;

/** Chunks handed on at a time, 512 KiB: one by one, they would cost more than their encryption. */
const chunksPerBlock = 64;

/** The tags of chunks that WAL-G writes. */
const tags = { message: 0, final: 3 };

/**
 * libsodium's secret stream (XChaCha20-Poly1305): a header, then authenticated chunks, the last of which says so.
 *
 * @see libsodium manual, "Encrypted streams and file encryption"
 */
export function libsodiumCipher(options: LibsodiumOptions): Cipher {
  const open = loadOnce(() => loadKeyed(options));
  return {
    name: 'libsodium',
    async *encrypt(source) {
      yield* encrypt(await open(), source);
    },
    async *decrypt(source) {
      yield* decrypt(await open(), source);
    },
  };
}

interface Keyed {
  readonly sodium: SecretStreams;
  readonly key: Buffer;
}

async function loadKeyed({ keyTransform = 'none', ...source }: LibsodiumOptions): Promise<Keyed> {
  const key = await readLibsodiumKey(source, keyTransform);
  return { sodium: await loadSecretStreams(), key: key.reveal() };
}

async function* encrypt({ sodium, key }: Keyed, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const state = Buffer.alloc(sodium.crypto_secretstream_xchacha20poly1305_STATEBYTES);
  const header = Buffer.alloc(headerSizeBytes);
  sodium.crypto_secretstream_xchacha20poly1305_init_push(state, header, key);
  yield header;

  const seal = (block: Uint8Array): Uint8Array => {
    const isLast = block.length < chunksPerBlock * chunkSizeBytes;
    const chunks = Math.floor(block.length / chunkSizeBytes) + (isLast ? 1 : 0);
    const stored = Buffer.allocUnsafeSlow(block.length + chunks * tagSizeBytes);
    for (let index = 0; index < chunks; index += 1) {
      const plain = block.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes);
      const from = index * storedChunkSizeBytes;
      const target = stored.subarray(from, from + plain.length + tagSizeBytes);
      const tag = isLast && index === chunks - 1 ? tags.final : tags.message;
      sodium.crypto_secretstream_xchacha20poly1305_push(state, target, plain, null, tag);
    }
    return stored;
  };

  let isFinished = false;
  const memory = Buffer.allocUnsafeSlow(chunksPerBlock * chunkSizeBytes);
  for await (const block of inBlocks(source, memory.length, () => memory)) {
    isFinished = block.length < chunksPerBlock * chunkSizeBytes;
    yield seal(block);
  }
  if (!isFinished) yield seal(new Uint8Array());
}

async function* decrypt({ sodium, key }: Keyed, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  await using reader = createByteReader(source);
  const header = await reader.read(headerSizeBytes);
  if (header.length < headerSizeBytes) throw truncated();
  const state = Buffer.alloc(sodium.crypto_secretstream_xchacha20poly1305_STATEBYTES);
  sodium.crypto_secretstream_xchacha20poly1305_init_pull(state, header, key);
  const tag = Buffer.alloc(1);
  let isFirst = true;
  let isFinished = false;

  const openChunk = (stored: Uint8Array, plain: Uint8Array): void => {
    if (isFinished) throw new IntegrityError('libsodium data is followed by something else');
    try {
      sodium.crypto_secretstream_xchacha20poly1305_pull(state, plain, tag, stored, null);
    } catch (error) {
      throw isFirst ? wrongKey(error) : new IntegrityError('libsodium data is damaged or truncated', { cause: error });
    }
    isFirst = false;
    isFinished = tag[0] === tags.final;
    if (!isFinished && tag[0] !== tags.message) throw new IntegrityError('libsodium data has a chunk of unknown kind');
  };

  const memory = Buffer.allocUnsafeSlow(chunksPerBlock * storedChunkSizeBytes);
  for await (const block of inBlocks(reader.rest(), memory.length, () => memory)) {
    const chunks = Math.ceil(block.length / storedChunkSizeBytes);
    if (block.length < (chunks - 1) * storedChunkSizeBytes + tagSizeBytes) throw truncated();
    const plain = Buffer.allocUnsafeSlow(block.length - chunks * tagSizeBytes);
    for (let index = 0; index < chunks; index += 1) {
      const stored = block.subarray(index * storedChunkSizeBytes, (index + 1) * storedChunkSizeBytes);
      const from = index * chunkSizeBytes;
      openChunk(stored, plain.subarray(from, from + stored.length - tagSizeBytes));
    }
    yield plain;
  }
  if (!isFinished) throw truncated();
}

function wrongKey(cause: unknown): IntegrityError {
  return new IntegrityError('wrong libsodium key', {
    cause,
    hint: 'Check the key and its transform; if they are right, the object is damaged at its beginning or is not encrypted.',
  });
}

function truncated(): IntegrityError {
  return new IntegrityError('libsodium data is truncated');
}

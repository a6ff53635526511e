import { createRequire } from 'node:module';
import { ConfigError, IntegrityError } from '../../errors.ts';
import { inBlocks } from '../../util/in-blocks.ts';
import { maximumWindowLog, type ZstdEngine } from './engine.ts';

type Binding = typeof import('zstd-napi/binding.js');

/** Input and output per call. Calls run on the thread of the event loop, so each is kept to a millisecond or two. */
const bufferSizeBytes = 256 * 1024;

/**
 * zstd of the optional package `zstd-napi`. A stream becomes one frame; the work is done on the thread of the event loop, so one
 * process uses one core. The package's low-level interface is used because its transform streams hand out everything that one
 * input chunk expands to at once, however much that is.
 *
 * @throws {@link ConfigError} when the package is not installed or cannot be loaded
 */
export function napiZstd(level: number): ZstdEngine {
  const binding = loadBinding();
  return {
    encode: (source) => encode(binding, source, level),
    decode: (source) => decode(binding, source),
  };
}

function loadBinding(): Binding {
  try {
    return createRequire(import.meta.url)('zstd-napi/binding.js') as Binding;
  } catch (error) {
    throw new ConfigError('compression engine napi cannot be loaded', {
      cause: error,
      hint: "Install it with 'npm install zstd-napi', or set the compression engine to node.",
    });
  }
}

async function* encode(binding: Binding, source: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  const { CCtx, CParameter, EndDirective } = binding;
  const context = new CCtx();
  context.setParameter(CParameter.compressionLevel, level);
  context.setParameter(CParameter.checksumFlag, 1);
  const buffer = Buffer.allocUnsafeSlow(bufferSizeBytes);
  let output = Buffer.allocUnsafe(bufferSizeBytes);
  for await (const block of inBlocks(source, bufferSizeBytes, () => buffer)) {
    for (let input = block; input.length > 0; ) {
      const [, producedBytes, consumedBytes] = context.compressStream2(output, input, EndDirective.continue);
      input = input.subarray(consumedBytes);
      if (producedBytes === 0) continue;
      yield output.subarray(0, producedBytes);
      output = Buffer.allocUnsafe(bufferSizeBytes);
    }
  }
  for (let pendingBytes = 1; pendingBytes > 0; output = Buffer.allocUnsafe(bufferSizeBytes)) {
    const [remainingBytes, producedBytes] = context.compressStream2(output, new Uint8Array(), EndDirective.end);
    pendingBytes = remainingBytes;
    yield output.subarray(0, producedBytes);
  }
}

async function* decode(binding: Binding, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const context = new binding.DCtx();
  context.setParameter(binding.DParameter.windowLogMax, maximumWindowLog);
  const buffer = Buffer.allocUnsafeSlow(bufferSizeBytes);
  let output = Buffer.allocUnsafe(bufferSizeBytes);
  let isWithinFrame = true;
  for await (const block of inBlocks(source, bufferSizeBytes, () => buffer)) {
    let isOutputFull = false;
    for (let input = block; input.length > 0 || (isOutputFull && isWithinFrame); ) {
      const [expectedBytes, producedBytes, consumedBytes] = decompress(context, output, input);
      input = input.subarray(consumedBytes);
      isOutputFull = producedBytes === output.length;
      isWithinFrame = expectedBytes > 0;
      if (producedBytes === 0) continue;
      yield output.subarray(0, producedBytes);
      output = Buffer.allocUnsafe(bufferSizeBytes);
    }
  }
  if (isWithinFrame) throw new IntegrityError('zstd data is truncated');
}

type DecompressionContext = InstanceType<Binding['DCtx']>;

function decompress(
  context: DecompressionContext,
  output: Uint8Array,
  input: Uint8Array,
): ReturnType<DecompressionContext['decompressStream']> {
  try {
    return context.decompressStream(output, input);
  } catch (error) {
    throw new IntegrityError('zstd data is damaged or truncated', { cause: error });
  }
}

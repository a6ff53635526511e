import { parentPort } from 'node:worker_threads';
import { compressSync } from 'lz4-napi';
import { packBlock } from './pack-block.ts';

/** What the thread gives back: the block as a frame holds it, and the memory of the plain one. */
export interface PackedBlock {
  readonly packed: Uint8Array;
  readonly plain: Uint8Array<ArrayBuffer>;
}

// The program of the thread that createPackingThread starts.
parentPort?.on('message', (plain: Uint8Array<ArrayBuffer>) => {
  const packed = packBlock(plain, compressSync);
  const answer: PackedBlock = { packed, plain };
  // Between two turns of the event loop Node frees what the library has released: only then may the next block come.
  setImmediate(() => parentPort?.postMessage(answer, [packed.buffer, plain.buffer]));
});

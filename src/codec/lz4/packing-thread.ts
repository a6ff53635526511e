import { parentPort } from 'node:worker_threads';
import { compressSync } from 'lz4-napi';
import { packBlock } from './pack-block.ts';

/** What a thread gives back: the block as a frame holds it, and the memory of the plain one. */
export interface PackedBlock {
  readonly packed: Uint8Array;
  readonly plain: Uint8Array<ArrayBuffer>;
}

// The program of a thread that createPackingThreads starts.
parentPort?.on('message', (plain: Uint8Array<ArrayBuffer>) => {
  const packed = packBlock(plain, compressSync);
  parentPort?.postMessage({ packed, plain } satisfies PackedBlock, [packed.buffer, plain.buffer]);
});

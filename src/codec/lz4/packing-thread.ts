import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { PackedBlock } from './packing-thread-program.ts';

/** A thread that packs block after block, as {@link packBlock} does. It keeps the process alive only while it works. */
export interface PackingThread {
  /** Whether it has a block in hand. */
  readonly isBusy: boolean;
  /**
   * Takes the block's memory away and gives it back with the result. Starts the thread when there is none.
   *
   * @throws what ended the thread; the next block gets another one
   */
  pack(plain: Uint8Array<ArrayBuffer>): Promise<PackedBlock>;
}

/** The thread's own heap holds hardly anything: blocks lie outside. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

export function createPackingThread(): PackingThread {
  /** Those who wait, in the order of their blocks. */
  const waiting: PromiseWithResolvers<PackedBlock>[] = [];
  let worker: Promise<Worker> | undefined;

  const start = async (): Promise<Worker> => {
    // Loaded only now: it takes every call of PostgreSQL 1.5 ms, and hardly any has so much to pack.
    const { Worker } = await import('node:worker_threads');
    // Beside this file in each build: TypeScript's own, that for Node, and the bundle.
    const program = new URL(`./packing-thread-program${extname(import.meta.url)}`, import.meta.url);
    const started = new Worker(program, { resourceLimits, execArgv: [] });
    let reason: unknown;
    started.on('message', (answer: PackedBlock) => {
      waiting.shift()?.resolve(answer);
      if (waiting.length === 0) started.unref();
    });
    started.on('error', (error) => {
      reason = error;
    });
    started.on('exit', (code) => {
      worker = undefined;
      const error = new Error(`the thread that compresses with lz4 has ended with status ${code}`, { cause: reason });
      for (const waiter of waiting.splice(0)) waiter.reject(error);
    });
    return started;
  };

  return {
    get isBusy() {
      return waiting.length > 0;
    },

    async pack(plain) {
      const result = Promise.withResolvers<PackedBlock>();
      waiting.push(result);
      worker ??= start();
      const started = await worker;
      started.ref();
      started.postMessage(plain, [plain.buffer]);
      return await result.promise;
    },
  };
}

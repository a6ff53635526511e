import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PackedBlock } from './packing-thread.ts';

/** Threads that pack blocks side by side, as {@link packBlock} does. They keep the process alive only while they work. */
export interface PackingThreads {
  /**
   * Takes the block's memory away and gives it back with the result.
   *
   * @throws what ended the thread; the next block gets another one
   */
  pack(plain: Uint8Array<ArrayBuffer>): Promise<PackedBlock>;
}

/** Two pack 1.5 GB a second, and each takes some 15 MiB for itself. */
const mostThreads = 2;

/** A thread's own heap holds hardly anything: blocks lie outside. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

interface Thread {
  readonly worker: Worker;
  /** Those who wait, in the order of their blocks. */
  readonly waiting: PromiseWithResolvers<PackedBlock>[];
}

/** Starts each thread when there is work for it. */
export function createPackingThreads(): PackingThreads {
  const count = Math.min(availableParallelism(), mostThreads);
  const threads: Thread[] = [];

  const start = (): Thread => {
    // Beside this file in each build: TypeScript's own, that for Node, and the bundle.
    const program = new URL(`./packing-thread${extname(import.meta.url)}`, import.meta.url);
    const thread: Thread = { worker: new Worker(program, { resourceLimits, execArgv: [] }), waiting: [] };
    const { worker, waiting } = thread;
    worker.unref();
    worker.on('message', (packed: PackedBlock) => {
      waiting.shift()?.resolve(packed);
      if (waiting.length === 0) worker.unref();
    });
    let reason: unknown;
    worker.on('error', (error) => {
      reason = error;
    });
    worker.on('exit', (code) => {
      threads.splice(threads.indexOf(thread), 1);
      const error = new Error(`a thread that compresses with lz4 has ended with status ${code}`, { cause: reason });
      for (const waiter of waiting.splice(0)) waiter.reject(error);
    });
    threads.push(thread);
    return thread;
  };

  return {
    pack(plain) {
      const leastBusy = threads.toSorted((one, other) => one.waiting.length - other.waiting.length)[0];
      const isFree = leastBusy?.waiting.length === 0 || threads.length >= count;
      const { worker, waiting } = leastBusy !== undefined && isFree ? leastBusy : start();
      const result = Promise.withResolvers<PackedBlock>();
      worker.ref();
      waiting.push(result);
      worker.postMessage(plain, [plain.buffer]);
      return result.promise;
    },
  };
}

import { describe } from 'vitest';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { describeObjectStore } from './object-store.ts';

const mebibyte = 1024 * 1024;

describe('the memory store', () => {
  describeObjectStore({
    hasMissingPlaces: false,
    refusesStrangers: false,
    ordersAllPlanes: true,
    memoryBoundBytes: undefined,
    async open() {
      const store = createMemoryStore();
      return {
        store,
        otherHost: undefined,
        missing: undefined,
        denied: undefined,
        secrets: [],
        partSizeBytes: mebibyte,
        wholeBodyBytes: mebibyte,
        leftovers: async () => [],
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      };
    },
  });
});

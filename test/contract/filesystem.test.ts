import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { describeObjectStore } from './object-store.ts';

const mebibyte = 1024 * 1024;

describe('the directory store', () => {
  describeObjectStore({
    hasMissingPlaces: true,
    // Whoever runs the tests owns the directory; test/storage/drivers/filesystem.test.ts sends a stranger.
    refusesStrangers: false,
    ordersAllPlanes: true,
    memoryBoundBytes: 8 * mebibyte,
    async open(name) {
      const parent = await mkdtemp(join(tmpdir(), 'seawall-contract-'));
      const root = join(parent, name);
      await mkdir(root);
      const store = createFilesystemStore(root);
      return {
        store,
        otherHost: createFilesystemStore(root),
        missing: createFilesystemStore(join(parent, 'missing')),
        denied: undefined,
        secrets: [],
        partSizeBytes: mebibyte,
        wholeBodyBytes: mebibyte,
        leftovers: async () => (await readdir(root, { recursive: true })).filter((path) => path.includes('.tmp.')),
        async [Symbol.asyncDispose]() {
          await store[Symbol.asyncDispose]();
          await rm(parent, { recursive: true, force: true });
        },
      };
    },
  });
});

import { defineConfig } from 'vitest/config';

const root = new URL('..', import.meta.url).pathname;

/**
 * Tests start and kill real processes and wait for them: a machine that stalls for a second may decide a race that a test did not foresee.
 * `.ci/run` names every test that has needed its second attempt; each is a defect to be mended.
 */
const retry = 1;

/** The three rings (README, "Tests"): unit in seconds, contract against real services, integration with real PostgreSQL. */
export default defineConfig({
  root,
  test: {
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
    projects: [
      {
        test: {
          name: 'unit',
          root,
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/support/build-setup.ts'],
          retry,
          exclude: ['test/contract/**', 'test/integration/**', 'test/bench/**', '**/node_modules/**'],
          // Many start processes: on a machine that stalls for seconds, those five of Vitest's say nothing about Seawall. What a test
          // waits for in vain it says itself, after a minute.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'contract',
          root,
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/support/services-setup.ts'],
          retry,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'integration',
          root,
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/build-setup.ts', 'test/support/services-setup.ts'],
          retry,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});

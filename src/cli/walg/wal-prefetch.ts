import type { CommandDefinition } from '../command.ts';

/** What WAL-G's wal-fetch starts behind itself. Ours starts the agent, so nothing is left to do. */
export const walPrefetchCommand: CommandDefinition = {
  name: 'wal-prefetch',
  arguments: [
    { notation: '<name>', description: 'the WAL file that was fetched' },
    { notation: '<destination>', description: 'where it went' },
  ],
  summary: 'nothing: wal-fetch works ahead by itself',
  settings: [],
  isCalledOften: true,
  examples: ['wal-g wal-prefetch 000000010000000000000002 pg_wal/RECOVERYXLOG'],
  run: () => Promise.resolve(),
};

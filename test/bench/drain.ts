import { startServer } from '../support/postgres-server.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Commands } from './contestant.ts';
import { benchMajor, waiting } from './make-wal.ts';
import { withDaemon } from './with-daemon.ts';

/** A backlog that is not gone after this time is given up: ten times what the slowest peer needs. */
const timeoutMs = 300_000;

/** Seconds from the server's readiness until its own archiver has got rid of every waiting segment. */
export async function measureDrain(dataDirectory: string, commands: Commands): Promise<number> {
  return await withDaemon(commands, async () => {
    const { archiveCommand, environment = {} } = commands;
    await using server = await startServer({
      major: benchMajor,
      dataDirectory,
      environment,
      settings: { archive_mode: 'on', archive_command: archiveCommand },
    });
    const startedAtMs = performance.now();
    try {
      await waitFor('the backlog to be archived', () => waiting(dataDirectory).length === 0, {
        timeoutMs,
        intervalMs: 20,
      });
    } catch (error) {
      throw new Error(`the backlog was not archived:\n${server.log().slice(-2000)}`, { cause: error });
    }
    return (performance.now() - startedAtMs) / 1000;
  });
}

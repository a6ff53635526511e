import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../support/postgres-server.ts';
import { giveToServerUser } from '../support/server-user.ts';
import type { Commands } from './contestant.ts';
import { benchMajor } from './make-wal.ts';
import { withDaemon } from './with-daemon.ts';

/** Seconds from the start of the server until it has recovered to the end of the archive and opened. */
export async function measureRecovery(dataDirectory: string, commands: Commands): Promise<number> {
  const signal = join(dataDirectory, 'recovery.signal');
  writeFileSync(signal, '');
  giveToServerUser(signal);
  return await withDaemon(commands, async () => {
    const { restoreCommand, environment = {} } = commands;
    const startedAtMs = performance.now();
    await using _server = await startServer({
      major: benchMajor,
      dataDirectory,
      environment,
      settings: { archive_mode: 'off', restore_command: restoreCommand, hot_standby: 'off' },
    });
    return (performance.now() - startedAtMs) / 1000;
  });
}

import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ArchivingCluster, type CommandWords, fillSegments } from './archiving-cluster.ts';
import { prepareServer, type Server, type Settings } from './postgres-server.ts';
import { seawallPath } from './seawall.ts';
import { giveToServerUser } from './server-user.ts';
import { waitFor } from './wait-for.ts';

/** A cluster with a copy of its data directory from before it filled some segments, which are all archived. */
export interface RecoverableCluster {
  readonly archiving: ArchivingCluster;
  readonly copy: string;
  /** The segments since the copy. */
  readonly names: readonly string[];
}

export interface RecoveryOptions extends RestoreWords {
  readonly signalFile?: 'recovery.signal' | 'standby.signal';
  readonly environment?: Readonly<Record<string, string>>;
  readonly settings?: Settings;
}

export interface RestoreWords extends CommandWords {
  /** While there is this file, recovery waits for this segment. */
  readonly gate?: { readonly path: string; readonly fileName: string };
}

/** Copies the data directory of a cluster while it is stopped, then lets it fill and archive that many segments. */
export async function makeRecoverable(archiving: ArchivingCluster, count: number): Promise<RecoverableCluster> {
  const { cluster, home } = archiving;
  await cluster.stop();
  const copy = join(home, 'copy');
  copyTree(cluster.dataDirectory, copy);
  await cluster.start();
  const names = await fillSegments(cluster, count);
  await archiving.drained();
  return { archiving, copy, names };
}

/** Sets restore_command, which a server that runs, and lets clients in, takes over before it asks for the next segment but one. */
export async function setRestoreCommand(
  server: Server,
  { variables = '', flags = '', gate }: RestoreWords,
): Promise<void> {
  const wait =
    gate === undefined ? '' : `test "%f" != ${gate.fileName} || while test -e ${gate.path}; do sleep 0.02; done; `;
  const command = `${wait}${variables} ${seawallPath} wal-fetch "%f" "%p" ${flags}`;
  appendFileSync(join(server.dataDirectory, 'postgresql.auto.conf'), `restore_command = '${command}'\n`);
  if (server.processId === undefined) return;
  process.kill(server.processId, 'SIGHUP');
  // The postmaster hands new settings on to recovery before it lets the next client in.
  await waitFor('the server to take the command over', () =>
    server.query('SELECT 1').then(
      () => true,
      () => false,
    ),
  );
}

/** A server on a further copy of the copy, not started yet; it recovers from the archive and archives nothing itself unless told. */
export async function prepareRecovery(
  { archiving, copy }: RecoverableCluster,
  options: RecoveryOptions = {},
): Promise<Server> {
  const { signalFile = 'recovery.signal', environment, settings } = options;
  const dataDirectory = join(archiving.home, `recovered-${performance.now()}`);
  copyTree(copy, dataDirectory);
  writeFileSync(join(dataDirectory, signalFile), '');
  giveToServerUser(join(dataDirectory, signalFile));
  const server = await prepareServer({
    major: archiving.cluster.major,
    dataDirectory,
    environment: { ...archiving.environment, ...environment },
    settings: { archive_mode: 'off', ...settings },
  });
  await setRestoreCommand(server, options);
  return server;
}

/** The segments that two servers do not both have with the same bytes. */
export function differingSegments(one: Server, other: Server, names: readonly string[]): string[] {
  const read = (server: Server, name: string): Buffer | undefined => {
    try {
      return readFileSync(join(server.dataDirectory, 'pg_wal', name));
    } catch {
      return undefined;
    }
  };
  return names.filter((name) => {
    const [bytes, otherBytes] = [read(one, name), read(other, name)];
    return bytes === undefined || otherBytes === undefined || !bytes.equals(otherBytes);
  });
}

/** A copy with owners, times and modes. */
export function copyTree(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ArchivingCluster, fillSegments } from './archiving-cluster.ts';
import { prepareServer, type Server, type Settings } from './postgres-server.ts';
import { seawallPath } from './seawall.ts';
import { giveToServerUser } from './server-user.ts';

/** A cluster with a copy of its data directory from before it filled some segments, which are all archived. */
export interface RecoverableCluster {
  readonly archiving: ArchivingCluster;
  readonly copy: string;
  /** The segments since the copy. */
  readonly names: readonly string[];
}

export interface RecoveryOptions {
  readonly signalFile?: 'recovery.signal' | 'standby.signal';
  /** Behind `wal-fetch "%f" "%p"`. */
  readonly flags?: string;
  /** While there is such a file, recovery waits. */
  readonly gate?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly settings?: Settings;
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

/** restore_command of the tests. */
export function restoreCommand({ flags = '', gate }: Pick<RecoveryOptions, 'flags' | 'gate'>): string {
  const wait = gate === undefined ? '' : `while test -e ${gate}; do sleep 0.02; done; `;
  return `${wait}${seawallPath} wal-fetch "%f" "%p" ${flags}`;
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
  return await prepareServer({
    major: archiving.cluster.major,
    dataDirectory,
    environment: { ...archiving.environment, ...environment },
    settings: { archive_mode: 'off', restore_command: restoreCommand(options), ...settings },
  });
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

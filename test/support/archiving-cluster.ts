import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCodec } from '../../src/codec/codecs.ts';
import { parseWalFileName } from '../../src/postgres/wal-name.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { findWal, readWal } from '../../src/repository/wal-archive.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { joined } from './byte-streams.ts';
import { type ClusterOptions, startCluster } from './postgres.ts';
import type { Server } from './postgres-server.ts';
import { removeTree } from './remove-tree.ts';
import { seawallEnvironment, seawallPath } from './seawall.ts';
import { readValue } from './server-state.ts';
import { giveToServerUser, makeServerDirectory } from './server-user.ts';
import { waitFor } from './wait-for.ts';

/** What a test adds to archive_command or restore_command. */
export interface CommandWords {
  /** In front of `seawall`. */
  readonly variables?: string;
  /** At its end. */
  readonly flags?: string;
}

export interface ArchivingOptions extends Omit<ClusterOptions, 'archiveCommand'>, CommandWords {}

/** A cluster that archives into a directory and keeps all WAL, with a gate before archive_command: while it is closed, PostgreSQL waits. */
export interface ArchivingCluster extends AsyncDisposable {
  readonly cluster: Server;
  /** Belongs to the server's user; holds the repository and what a test puts there. */
  readonly home: string;
  readonly repository: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The one that the cluster has, gate included. */
  readonly archiveCommand: string;
  /** Resolves when every call to come is made with these words. */
  setArchiveCommand(words: CommandWords): Promise<void>;
  closeGate(): void;
  openGate(): void;
  /** Lets the file that PostgreSQL waits for through a closed gate, and none behind it. */
  admitFirst(): void;
  /** Fills that many segments while the gate is closed, and opens it; gives their names. */
  pileUp(count: number): Promise<string[]>;
  /** Waits until PostgreSQL waits for nothing. */
  drained(): Promise<void>;
  /** Compares every file in pg_wal that PostgreSQL takes for archived with what the repository holds; gives their number. */
  compareArchive(repository?: string): Promise<number>;
}

/** Makes such a cluster with segments of 1 MiB unless told otherwise, and starts it. */
export async function startArchiving(options: ArchivingOptions = {}): Promise<ArchivingCluster> {
  await using stack = new AsyncDisposableStack();
  const home = makeServerDirectory('seawall-agent-');
  stack.defer(() => removeTree(home));
  const repository = join(home, 'repository');
  mkdirSync(repository);
  giveToServerUser(repository);
  const gate = join(home, 'closed');
  const archiveCommand = ({ variables = '', flags = '' }: CommandWords) =>
    `while test -e ${gate} && ! test -e ${gate}.but.%f; do sleep 0.02; done; ${variables} ${seawallPath} wal-push "%p" ${flags}`;
  // One home for all, so that Node's compile cache is warm after the first call.
  const environment = { ...seawallEnvironment, SEAWALL_REPOSITORY: repository, HOME: home, ...options.environment };
  const settings = { wal_keep_size: '2GB', checkpoint_timeout: '1h', ...options.settings };
  const cluster = stack.use(
    await startCluster({
      segmentSizeMib: 1,
      ...options,
      archiveCommand: archiveCommand(options),
      environment,
      settings,
    }),
  );
  const owned = stack.move();

  const archiving: ArchivingCluster = {
    cluster,
    home,
    repository,
    environment,
    archiveCommand: archiveCommand(options),
    async setArchiveCommand(words) {
      await cluster.query(`ALTER SYSTEM SET archive_command = '${archiveCommand(words)}'`);
      await cluster.query('SELECT pg_reload_conf()');
      // The postmaster hands new settings on to the archiver before it lets the next client in.
      await cluster.query('SELECT 1');
    },
    closeGate: () => writeFileSync(gate, ''),
    openGate: () => rmSync(gate, { force: true }),
    admitFirst() {
      const [first] = readyFiles(cluster).toSorted();
      if (first === undefined) throw new Error('PostgreSQL waits for no file');
      writeFileSync(`${gate}.but.${first}`, '');
    },
    async pileUp(count) {
      archiving.closeGate();
      const names = await fillSegments(cluster, count);
      archiving.openGate();
      return names;
    },
    drained: () => waitUntilArchived(cluster),
    compareArchive: (from = repository) => compareArchive(cluster, from),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return archiving;
}

/** Fills that many segments with what hardly compresses; gives their names. */
export async function fillSegments(server: Pick<Server, 'connect'>, count: number): Promise<string[]> {
  const client = await server.connect();
  const sizeBytes = Number(await readValue(client, "pg_size_bytes(current_setting('wal_segment_size'))"));
  const names: string[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    names.push(await readValue(client, 'pg_walfile_name(pg_current_wal_lsn())'));
    const filling = randomBytes(Math.floor(sizeBytes * 0.4)).toString('hex');
    await client.query("SELECT pg_logical_emit_message(true, 'fill', $1::text)", [filling]);
    await client.query('SELECT pg_switch_wal()');
  }
  await client.end();
  return names;
}

/**
 * Makes PostgreSQL call archive_command again at once: after three failures within some seconds it rests for a minute, unless another
 * segment becomes ready.
 */
export async function wakeArchiver(server: Pick<Server, 'connect'>): Promise<void> {
  await fillSegments(server, 1);
}

/** What PostgreSQL waits for. */
export function readyFiles(cluster: Server): string[] {
  return statusFiles(cluster, '.ready');
}

/** Waits until PostgreSQL waits for nothing. */
export async function waitUntilArchived(cluster: Server): Promise<void> {
  await waitFor('PostgreSQL to have archived everything', () => readyFiles(cluster).length === 0, { intervalMs: 20 });
}

/** The plain bytes of an archived file; undefined when it is not archived. */
export async function archivedBytes(folder: string, fileName: string): Promise<Buffer | undefined> {
  const repository = createRepository(createFilesystemStore(folder), createCodec('zstd'));
  const [wal] = await findWal(repository, fileName);
  return wal === undefined ? undefined : await joined(readWal(repository, wal));
}

function statusFiles(cluster: Server, ending: string): string[] {
  const names = readdirSync(join(cluster.dataDirectory, 'pg_wal', 'archive_status'));
  return names
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .filter((name) => parseWalFileName(name) !== undefined);
}

/** As {@link ArchivingCluster.compareArchive}, for any server. */
export async function compareArchive(cluster: Server, repository: string): Promise<number> {
  let compared = 0;
  for (const fileName of statusFiles(cluster, '.done')) {
    const path = join(cluster.dataDirectory, 'pg_wal', fileName);
    if (!existsSync(path)) continue;
    const stored = await archivedBytes(repository, fileName);
    if (stored === undefined) throw new Error(`PostgreSQL takes ${fileName} for archived, but it is not`);
    if (!stored.equals(readFileSync(path))) throw new Error(`${fileName} is archived with other bytes`);
    compared += 1;
  }
  return compared;
}

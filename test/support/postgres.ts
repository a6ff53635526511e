import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { postgresBinaries } from './postgres-binaries.ts';
import { type Server, type ServerOptions, type Settings, startServer } from './postgres-server.ts';
import { runCommand } from './run-command.ts';
import { makeServerDirectory } from './server-user.ts';

export interface ClusterOptions extends Partial<Pick<ServerOptions, 'major' | 'environment' | 'tcp'>> {
  /** `initdb --wal-segsize`, 1 to 1024. */
  readonly segmentSizeMib?: number;
  /** Data checksums, on unless told otherwise. */
  readonly checksums?: boolean;
  /** Written to postgresql.conf, so a backup carries them along. */
  readonly settings?: Settings;
  /** Switches archiving on with this command. */
  readonly archiveCommand?: string;
}

/** What makes a test cluster quick and small; a test that needs other values gives them in its settings. */
const testSettings: Settings = {
  fsync: false,
  shared_buffers: '16MB',
  max_wal_size: '1GB',
  log_line_prefix: '%m [%p] ',
};

/**
 * Makes a cluster with PostgreSQL's own initdb, starts it and waits until it accepts connections. The data directory lies in
 * the server's temporary directory and goes with it.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Server> {
  const { major = 18, environment = {}, tcp = false, archiveCommand } = options;
  const directory = makeServerDirectory('seawall-cluster-');
  const dataDirectory = join(directory, 'data');
  const archiving: Settings =
    archiveCommand === undefined ? {} : { archive_mode: 'on', archive_command: archiveCommand };
  try {
    await initialise(dataDirectory, options);
    const settings = { ...testSettings, ...archiving, ...options.settings };
    appendFileSync(join(dataDirectory, 'postgresql.conf'), formatSettings(settings));
  } catch (error) {
    rmSync(directory, { recursive: true, maxRetries: 20, force: true });
    throw error;
  }
  return await startServer({ major, dataDirectory, directory, environment, tcp });
}

async function initialise(dataDirectory: string, options: ClusterOptions): Promise<void> {
  const { major = 18, segmentSizeMib = 16, checksums = true } = options;
  const withoutChecksums = major >= 18 ? ['--no-data-checksums'] : [];
  const result = await runCommand(
    postgresBinaries(major).initdb,
    [
      `--pgdata=${dataDirectory}`,
      '--username=postgres',
      '--auth=trust',
      '--locale=C',
      '--encoding=UTF8',
      '--no-sync',
      `--wal-segsize=${segmentSizeMib}`,
      ...(checksums ? ['--data-checksums'] : withoutChecksums),
    ],
    { asServerUser: true, env: { PATH: process.env['PATH'] ?? '' }, cwd: '/' },
  );
  if (result.exitCode !== 0) throw new Error(`initdb failed:\n${result.stdout}${result.stderr}`);
}

/** Lines of postgresql.conf. */
function formatSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`)
    .join('');
}

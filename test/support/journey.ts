import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterOptions, startCluster } from './postgres.ts';
import { prepareServer, type Server, type Settings } from './postgres-server.ts';
import { removeTree } from './remove-tree.ts';
import type { CommandResult, RunningCommand } from './run-command.ts';
import { seawallEnvironment, seawallPath, startSeawall } from './seawall.ts';
import { giveToServerUser, makeServerDirectory } from './server-user.ts';

/** How a shell reaches a repository. */
export interface RepositoryAddress {
  /** `--repository` with its URL and what else it takes, or `--config`. */
  readonly flags: readonly string[];
  /** Credentials and the like. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface JourneyOptions extends Omit<ClusterOptions, 'archiveCommand' | 'environment'> {
  /** By default a new directory. */
  readonly repository?: RepositoryAddress;
}

/** A running cluster that archives into a repository of its own, and all that is restored from there. */
export interface Journey extends AsyncDisposable {
  readonly cluster: Server;
  readonly repository: RepositoryAddress;
  /** The directory of the repository, unless another one was given. */
  readonly repositoryPath: string;
  /** Starts `seawall` as the server's user, with the repository and with libpq's variables of the cluster. */
  start(...args: string[]): RunningCommand;
  /** Runs it to its end, whatever that is. */
  run(...args: string[]): Promise<CommandResult>;
  /** Runs it, and gives what it printed on stdout. @throws when it does not end with 0 */
  succeed(...args: string[]): Promise<string>;
  /** Takes a base backup, and gives its name. */
  backUp(...args: string[]): Promise<string>;
  /** The same of another server, such as the restored one that has taken the cluster's place. */
  backUpOf(server: Server, ...args: string[]): Promise<string>;
  /** Stops the cluster and removes its data directory, and whatever directories are named. */
  destroyCluster(...others: string[]): Promise<void>;
  /** Restores a backup into a new directory, or into the one that is named. The server is not started yet. */
  restore(backup: string, args?: readonly string[], options?: RestoredServerOptions): Promise<RestoredServer>;
  /** What `restore LATEST --plan` prints with these options. */
  planOf(...args: string[]): Promise<string>;
  /** Another server on a data directory, with the journey's environment. Not started yet. */
  serve(dataDirectory: string, settings?: Settings): Promise<Server>;
}

/** A server on a restored data directory, not started yet. */
export interface RestoredServer extends Server {
  /** What the restore printed. */
  readonly report: string;
}

export interface RestoredServerOptions {
  readonly dataDirectory?: string;
  /** For the server's command line. */
  readonly settings?: Settings;
}

/** Makes a cluster with an empty repository and starts it. Everything goes when the journey is disposed of. */
export async function startJourney(options: JourneyOptions = {}): Promise<Journey> {
  const { major = 18 } = options;
  await using stack = new AsyncDisposableStack();
  const home = makeServerDirectory('seawall-journey-');
  stack.defer(() => removeTree(home));
  const repositoryPath = join(home, 'repository');
  mkdirSync(repositoryPath);
  giveToServerUser(repositoryPath);
  const { repository = { flags: ['--repository', `file://${repositoryPath}`] } } = options;
  const { flags } = repository;
  // One home for all, so that Node's compile cache is warm after the first call.
  const environment = { ...seawallEnvironment, ...repository.environment, HOME: home };

  const archiveCommand = [seawallPath, 'wal-push', '"%p"', ...flags.map(archiveCommandWord)].join(' ');
  const cluster = stack.use(await startCluster({ ...options, archiveCommand, environment }));
  const disposables = stack.move();

  const startFor = ({ clientEnvironment }: Server, args: readonly string[]): RunningCommand =>
    startSeawall([...args, ...flags], {
      asServerUser: true,
      cwd: home,
      env: { ...environment, ...clientEnvironment },
    });
  const succeedFor = async (server: Server, args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await startFor(server, args).finished;
    if (exitCode !== 0) throw new Error(`seawall ${args.join(' ')} ended with ${exitCode}:\n${stderr}`);
    return stdout;
  };

  const journey: Journey = {
    cluster,
    repository,
    repositoryPath,
    start: (...args) => startFor(cluster, args),
    run: (...args) => startFor(cluster, args).finished,
    succeed: (...args) => succeedFor(cluster, args),
    backUp: (...args) => journey.backUpOf(cluster, ...args),
    async backUpOf(server, ...args) {
      const backup = JSON.parse(await succeedFor(server, ['basebackup', '--json', ...args])) as { name: string };
      return backup.name;
    },
    async destroyCluster(...others) {
      await cluster.stop('fast');
      for (const directory of [cluster.dataDirectory, ...others]) await removeTree(directory);
    },
    async restore(backup, args = [], { dataDirectory, settings } = {}) {
      const directory = makeServerDirectory('seawall-restored-');
      disposables.defer(() => removeTree(directory));
      const target = dataDirectory ?? join(directory, 'data');
      const report = await journey.succeed('restore', backup, target, '--jobs', '2', ...args);
      const server = { major, dataDirectory: target, directory, environment, ...(settings && { settings }) };
      return Object.assign(disposables.use(await prepareServer(server)), { report });
    },
    planOf: (...args) => journey.succeed('restore', 'LATEST', join(home, 'planned'), '--plan', ...args),
    async serve(dataDirectory, settings = {}) {
      return disposables.use(await prepareServer({ major, dataDirectory, environment, settings }));
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
  return journey;
}

/** Quoted for sh; PostgreSQL replaces % itself. */
function archiveCommandWord(word: string): string {
  return `"${word.replaceAll('%', '%%')}"`;
}

import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runningAgent } from '../support/agent-processes.ts';
import { fillSegments } from '../support/archiving-cluster.ts';
import { createLedger, predictLedger, readLedger, writeBatches } from '../support/ledger.ts';
import { startCluster } from '../support/postgres.ts';
import { prepareServer, type Server } from '../support/postgres-server.ts';
import type { CommandResult } from '../support/run-command.ts';
import { archiveEverything, waitForPromotion } from '../support/server-state.ts';
import { giveToServerUser, makeServerDirectory } from '../support/server-user.ts';
import { makeWalgHome, type WalgHome } from '../support/walg-home.ts';

/** Behind the names, the settings and the files of WAL-G: a link called wal-g, configuration files, and what scripts write. */
describe('a cluster that was set up for WAL-G', () => {
  let home: WalgHome;
  let repository: string;
  let cluster: Server;

  beforeAll(async () => {
    home = makeWalgHome();
    repository = join(home.path, 'repository');
    mkdirSync(repository);
    giveToServerUser(repository);
    const settings = { WALG_FILE_PREFIX: repository, walg_prevent_wal_overwrite: 'true' };
    for (const name of ['.walg.json', 'wal-g.yaml']) writeFileSync(join(home.path, name), JSON.stringify(settings));
    const archiveCommand = `wal-g --config ${join(home.path, 'wal-g.yaml')} wal-push %p`;
    cluster = await startCluster({ segmentSizeMib: 1, archiveCommand, environment: home.environment });
    await createLedger(cluster);
  });
  afterAll(async () => {
    await cluster.destroy();
    await home[Symbol.asyncDispose]();
  });

  async function walg(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    return await home.run(args, { ...cluster.clientEnvironment, ...more });
  }

  /** The name in the last line, cut out as scripts do. */
  async function backUp(...args: string[]): Promise<string> {
    const { exitCode, stderr } = await walg(['backup-push', cluster.dataDirectory, ...args]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const line = stderr.trimEnd().split('\n').at(-1) ?? '';
    expect(line).toMatch(/^INFO: \S+ \S+ Wrote backup with name base_[0-9A-F]{24} to storage default$/);
    return line.replace(/.*name ([^ ]+) *(to storage [^ ]+)?$/, '$1');
  }

  it('is archived, backed up, listed, marked, fetched and recovered, to the last row', async () => {
    await writeBatches(cluster, 3);
    const first = await backUp('-f', '-p', '--add-user-data', '{"run": 18446744073709551615}');
    await writeBatches(cluster, 3);
    const second = await backUp();
    await writeBatches(cluster, 3);
    await archiveEverything(cluster);
    expect(readdirSync(join(repository, 'wal_005')).every((name) => name.endsWith('.lz4'))).toBe(true);

    const { stdout } = await walg(['backup-list', '--detail', '--json']);
    expect(stdout).toContain('"user_data":{"run":18446744073709551615}');
    const listed = JSON.parse(stdout) as { backup_name: string; is_permanent: boolean }[];
    expect(listed.map(({ backup_name, is_permanent }) => [backup_name, is_permanent])).toEqual([
      [first, true],
      [second, false],
    ]);
    expect(await walg(['backup-mark', second])).toMatchObject({ exitCode: 0 });
    expect(await walg(['backup-mark', '-i', first])).toMatchObject({ exitCode: 0 });
    expect((await walg(['backup-show', first])).stdout).toContain('is_permanent: false');

    const directory = makeServerDirectory('seawall-restored-');
    const dataDirectory = join(directory, 'data');
    const fetched = await walg(['backup-fetch', dataDirectory, '--target-user-data', '{"run":18446744073709551615}']);
    expect(fetched).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(first) });
    const configuration = readFileSync(join(dataDirectory, 'postgresql.auto.conf'), 'utf8');
    expect(configuration).not.toMatch(/restore_command|archive_mode/);
    expect(existsSync(join(dataDirectory, 'recovery.signal'))).toBe(false);
    expect(await walg(['backup-fetch', dataDirectory, 'LATEST'])).toMatchObject({ exitCode: 73 });

    // What people and platforms write themselves.
    appendFileSync(
      join(dataDirectory, 'postgresql.conf'),
      "restore_command = 'wal-g wal-fetch %f %p'\narchive_mode = off\n",
    );
    writeFileSync(join(dataDirectory, 'recovery.signal'), '');
    await using restored = await prepareServer({ major: 18, dataDirectory, directory, environment: home.environment });
    await restored.start();
    await waitForPromotion(restored);
    expect(await readLedger(restored)).toEqual(await predictLedger(cluster, 9));
    // The agents find the same settings by the same names.
    await runningAgent(restored, 'fetch');
    await fillSegments(cluster, 4);
    await runningAgent(cluster, 'push');
  });

  it('says once that no delta is taken, and which settings have no effect', async () => {
    await writeBatches(cluster, 1);
    const settings = { WALG_DELTA_MAX_STEPS: '5', WALG_DISK_RATE_LIMIT: '1000000', WALG_NO_SUCH_THING: 'x' };
    const { exitCode, stderr } = await walg(['backup-push', cluster.dataDirectory], settings);
    expect(exitCode).toBe(0);
    expect(stderr.split('\n').filter((line) => line.startsWith('WARNING: '))).toEqual([
      expect.stringMatching(/without effect in Seawall: WALG_DISK_RATE_LIMIT; unknown settings: WALG_NO_SUCH_THING$/),
      expect.stringMatching(/taking a full backup: Seawall takes no deltas, which WALG_DELTA_MAX_STEPS asks for$/),
    ]);
  });

  it('ends wal-fetch with 74 for a file that is not there, and with 200 when that is not known', async () => {
    const name = '0000000100000000000000FF';
    const destination = join(home.path, 'fetched');
    expect(await walg(['wal-fetch', name, destination])).toMatchObject({ exitCode: 74 });
    const elsewhere = ['--walg-file-prefix', join(home.path, 'nowhere'), 'wal-fetch', name, destination];
    expect(await walg(elsewhere)).toMatchObject({ exitCode: 200, stderr: expect.stringMatching(/^ERROR: /) });
    expect(existsSync(destination)).toBe(false);
  });
});

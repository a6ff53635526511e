import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Journey, startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import type { PostgresMajor } from '../../support/postgres-binaries.ts';
import type { RunningCommand } from '../../support/run-command.ts';
import { waitForPause } from '../../support/server-state.ts';
import { waitFor } from '../../support/wait-for.ts';

const majors: readonly PostgresMajor[] = [14, 18];

describe.each(majors)('a base backup of PostgreSQL %i that is interrupted', (major) => {
  let journey: Journey;

  beforeAll(async () => {
    journey = await startJourney({ major, segmentSizeMib: 1 });
    await createLedger(journey.cluster);
    await writeBatches(journey.cluster, 10);
    // So much that a slow backup goes on for a while, also where whoever is to interrupt it stalls for some seconds.
    for (let table = 0; table < 30; table += 1) {
      await journey.cluster.query(
        `CREATE TABLE bulk_${table} AS SELECT n, md5(n::text) AS text FROM generate_series(1, 15000) n`,
      );
    }
  });
  afterAll(() => journey[Symbol.asyncDispose]());

  /** Everything of base backups in the repository. */
  const objects = (): string[] => {
    const folder = join(journey.repositoryPath, 'basebackups_005');
    return existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [];
  };
  /** A backup that has stored some of its parts and goes on slowly: the highest level, one part at a time, small ones. */
  const startSlowBackup = async (): Promise<RunningCommand> => {
    const before = objects().length;
    const args = ['--compression-level', '19', '--jobs', '1', '--part-size', '1MiB'];
    const backup = journey.start('basebackup', journey.cluster.dataDirectory, ...args);
    await waitFor('the first parts', () => objects().filter((path) => /part_\d+\.tar/.test(path)).length > before + 1);
    return backup;
  };
  /** Does what ends a session in the middle of a backup, and waits for the server to notice. */
  const leavesBackupMode = async (work: () => Promise<void>): Promise<void> => {
    const aborted = () => journey.cluster.log().split('aborting backup due to backend exiting').length;
    const before = aborted();
    await work();
    await waitFor('the server to leave backup mode', () => aborted() > before);
  };

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s removes what it has stored and leaves backup mode',
    async (signal) => {
      const before = objects();
      await leavesBackupMode(async () => {
        const backup = await startSlowBackup();
        backup.process.kill(signal);
        expect(await backup.finished).toMatchObject({ exitCode: null, signal, stdout: '' });
      });
      expect(objects()).toEqual(before);
    },
  );

  it('by the loss of its connection removes what it has stored, and fails', async () => {
    const before = objects();
    await leavesBackupMode(async () => {
      const backup = await startSlowBackup();
      await journey.cluster.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'seawall basebackup'",
      );
      const result = await backup.finished;
      expect(result).toMatchObject({ exitCode: 69, stdout: '' });
      expect(result.stderr).toContain('terminating connection due to administrator command');
    });
    expect(objects()).toEqual(before);
  });

  it.each(['fast', 'immediate'] as const)(
    'by a restart of the server (%s) removes what it has stored, and fails',
    async (mode) => {
      const before = objects();
      const backup = await startSlowBackup();
      await journey.cluster.stop(mode);
      await journey.cluster.start();
      expect(await backup.finished).toMatchObject({ exitCode: 69, stdout: '' });
      expect(objects()).toEqual(before);
    },
  );

  it('by SIGKILL leaves no backup, and the next one is whole', async () => {
    const listed = await journey.succeed('list', '--json');
    await leavesBackupMode(async () => {
      const backup = await startSlowBackup();
      backup.process.kill('SIGKILL');
      await backup.finished;
    });
    expect(await journey.succeed('list', '--json')).toBe(listed);

    const name = await journey.backUp();
    const state = await readLedger(journey.cluster);
    await using server = await journey.restore(name, ['--target-immediate']);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, state);
  });
});

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeConfiguration } from '../../src/postgres/configuration-file.ts';
import { readControlFile } from '../../src/postgres/control-file.ts';
import { checkFirstPage } from '../../src/postgres/first-page.ts';
import { formatLsn, parseLsn } from '../../src/postgres/lsn.ts';
import { recoverySettingNames, recoverySettings } from '../../src/postgres/recovery-settings.ts';
import { parseRecoveryTarget } from '../../src/postgres/recovery-target.ts';
import { parseTargetTime } from '../../src/postgres/target-time.ts';
import { parseTimelineHistory, timelineAt } from '../../src/postgres/timeline-history.ts';
import { formatSegmentName, parseWalFileName, segmentOfLsn } from '../../src/postgres/wal-name.ts';
import { startCluster } from '../support/postgres.ts';
import { type PostgresMajor, postgresBinaries, postgresMajors } from '../support/postgres-binaries.ts';
import type { Server } from '../support/postgres-server.ts';
import { runCommand } from '../support/run-command.ts';
import { giveToServerUser } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';

/** One segment size per major, so that the arithmetic is seen at several. */
const segmentSizesMib: Record<PostgresMajor, number> = { 14: 64, 15: 1, 16: 2, 17: 16, 18: 4 };

describe.each(postgresMajors)('PostgreSQL %i', (major) => {
  const segmentSizeMib = segmentSizesMib[major];
  let cluster: Server;
  let archive: string;
  let settingsFile: string;

  /** Archived segments by name, oldest first. */
  const archivedSegments = (): string[] =>
    readdirSync(archive)
      .filter((name) => parseWalFileName(name)?.kind === 'segment')
      .toSorted();

  const readValue = async (sql: string, ...values: unknown[]): Promise<string> => {
    const [row] = await cluster.query<{ value: unknown }>(`SELECT (${sql})::text AS value`, values);
    return String(row?.value);
  };

  /** Brings the stopped cluster up on a new timeline, with the settings that a restore would write. */
  const recoverToNewTimeline = async (): Promise<void> => {
    const settings = recoverySettings(parseRecoveryTarget({}), `cp "${archive}/%f" "%p"`);
    const changed = changeConfiguration(readFileSync(settingsFile, 'utf8'), {
      remove: recoverySettingNames,
      add: settings,
      comment: 'Recovery',
    });
    writeFileSync(settingsFile, changed.text);
    const signalFile = join(cluster.dataDirectory, 'recovery.signal');
    writeFileSync(signalFile, '');
    giveToServerUser(signalFile);
    await cluster.start();
    await waitFor('the promotion', async () => (await readValue('pg_is_in_recovery()')) === 'false');
    await cluster.query('CHECKPOINT');
  };

  beforeAll(async () => {
    const settings = {
      max_connections: 33,
      max_worker_processes: 9,
      max_wal_senders: 4,
      max_prepared_transactions: 5,
      max_locks_per_transaction: 77,
    };
    cluster = await startCluster({
      major,
      segmentSizeMib,
      settings,
      archiveCommand: 'cp "%p" "../archive/%f.part" && mv "../archive/%f.part" "../archive/%f"',
    });
    archive = cluster.makeDirectory('archive');
    settingsFile = join(cluster.dataDirectory, 'postgresql.auto.conf');
    await cluster.query('CREATE TABLE filler AS SELECT n FROM generate_series(1, 10000) n');
    await cluster.query('SELECT pg_switch_wal()');
  });

  afterAll(() => cluster.destroy());

  it('keeps in pg_control what it says by SQL', async () => {
    await cluster.query('CHECKPOINT');
    const control = await readControlFile(cluster.dataDirectory);
    expect(String(control.systemIdentifier)).toBe(await readValue('SELECT system_identifier FROM pg_control_system()'));
    expect(String(control.catalogVersion)).toBe(await readValue('SELECT catalog_version_no FROM pg_control_system()'));
    expect(String(control.controlVersion)).toBe(await readValue('SELECT pg_control_version FROM pg_control_system()'));
    expect(formatLsn(control.checkpointLsn)).toBe(
      await readValue('SELECT checkpoint_lsn FROM pg_control_checkpoint()'),
    );
    expect(formatLsn(control.redoLsn)).toBe(await readValue('SELECT redo_lsn FROM pg_control_checkpoint()'));
    expect(control).toMatchObject({
      state: 'in production',
      timeline: 1,
      segmentSizeBytes: segmentSizeMib * 1024 * 1024,
      blockSizeBytes: 8192,
      hasDataChecksums: true,
    });
    expect(Math.abs(Date.now() - control.modifiedAt.getTime())).toBeLessThan(60_000);
    for (const [name, limit] of Object.entries(control.hotStandbyLimits)) {
      expect(`${name} = ${limit}`).toBe(`${name} = ${await readValue(`current_setting('${name}')`)}`);
    }
  });

  it('names segments by our arithmetic', async () => {
    const lsn = parseLsn(await readValue('pg_current_wal_insert_lsn()'));
    const name = formatSegmentName(segmentOfLsn(1, lsn, segmentSizeMib * 1024 * 1024), segmentSizeMib * 1024 * 1024);
    expect(name).toBe(await readValue('pg_walfile_name($1::pg_lsn)', formatLsn(lsn)));
  });

  it('reads target times as we convert them', async () => {
    const times = [
      '2026-11-21 10:30:15.123456+02',
      '2026-07-01 12:00 Europe/Berlin',
      '2026-01-01 00:10 Asia/Kathmandu',
    ];
    for (const time of times) {
      const { utcText, at } = parseTargetTime(time);
      expect(await readValue('$1::timestamptz = $2::timestamptz', time, utcText)).toBe('true');
      const milliseconds = "date_trunc('milliseconds', $1::timestamptz)";
      expect(await readValue(`${milliseconds} = $2::timestamptz`, time, at.toISOString())).toBe('true');
    }
  });

  it('writes histories that we read, and begins a timeline with a segment of the old one', async () => {
    for (const timeline of [2, 3]) {
      await cluster.stop();
      await recoverToNewTimeline();
      await cluster.query('CREATE TABLE IF NOT EXISTS more AS SELECT 1 AS n');
      await cluster.query('SELECT pg_switch_wal()');
      const historyName = `0000000${timeline}.history`;
      const archived = () =>
        readdirSync(archive).includes(historyName) && archivedSegments().at(-1)?.[7] === `${timeline}`;
      await waitFor('the history and a segment of the new timeline', archived);
      const history = parseTimelineHistory(readFileSync(join(archive, historyName), 'utf8'), timeline);
      expect(history.ancestors.map((ancestor) => ancestor.timeline)).toEqual([1, 2].slice(0, timeline - 1));
      const insertLsn = parseLsn(await readValue('pg_current_wal_insert_lsn()'));
      expect(timelineAt(history, insertLsn)).toBe(timeline);
      expect((await readControlFile(cluster.dataDirectory)).timeline).toBe(timeline);
    }
  });

  it('writes segments whose first page we accept', async () => {
    const { systemIdentifier } = await readControlFile(cluster.dataDirectory);
    const names = archivedSegments();
    const headers = names.map((fileName) => {
      const page = readFileSync(join(archive, fileName));
      return checkFirstPage({ fileName, fileSizeBytes: page.byteLength, page, systemIdentifier });
    });
    expect(new Set(headers.map((header) => header.majorVersion))).toEqual(new Set([major]));
    const begunEarlier = names.filter(
      (name, index) => Number.parseInt(name.slice(0, 8), 16) !== headers[index]?.timeline,
    );
    expect(begunEarlier.map((name) => name.slice(0, 8))).toEqual(['00000002', '00000003']);
  });

  it('reads every setting that we write for a recovery, whatever is in its text', async () => {
    await cluster.stop();
    const restoreCommand = String.raw`seawall 'wal-fetch' --x="a\b\\c" "%f" "%p" # ü %%`;
    const targets = [
      { time: '2026-11-21 10:30:15.123456+02', inclusive: false },
      { lsn: '1A/7F000028' },
      { xid: '4294967999' },
      { name: String.raw`before 'it' \n` },
      { immediate: true, action: 'shutdown' },
    ];
    for (const target of targets) {
      const add = recoverySettings(parseRecoveryTarget({ ...target, timeline: 'current' }), restoreCommand);
      const change = { remove: recoverySettingNames, add, comment: 'Recovery' };
      writeFileSync(settingsFile, changeConfiguration(readFileSync(settingsFile, 'utf8'), change).text);
      for (const [name, value] of Object.entries(add)) {
        const read = await runCommand(postgresBinaries(major).postgres, ['-D', cluster.dataDirectory, '-C', name], {
          asServerUser: true,
          cwd: cluster.directory,
        });
        expect(read.stdout).toBe(`${value}\n`);
      }
    }
  });
});

import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startJourney } from '../../support/journey.ts';
import { createLedger } from '../../support/ledger.ts';
import { startLoad } from '../../support/load.ts';
import { seawallPath } from '../../support/seawall.ts';
import { archiveEverything, readValue } from '../../support/server-state.ts';
import { giveToServerUser } from '../../support/server-user.ts';

it.each([14, 18] as const)(
  'a PostgreSQL %i server whose archive_command is pointed at another repository keeps no segment from both',
  async (major) => {
    // The segments stay in pg_wal, and small ones make a backlog, for which the agent works ahead.
    await using journey = await startJourney({ major, segmentSizeMib: 1, settings: { wal_keep_size: '1GB' } });
    const { cluster, repositoryPath } = journey;
    const other = join(repositoryPath, '..', 'other repository');
    mkdirSync(other);
    giveToServerUser(other);
    await createLedger(cluster);
    await using load = startLoad(cluster);
    for (const path of [other, repositoryPath, other]) {
      await load.more(30);
      const command = `${seawallPath} wal-push "%p" --repository "${path}"`;
      await cluster.query(`ALTER SYSTEM SET archive_command = '${command}'`);
      await cluster.query('SELECT pg_reload_conf()');
    }
    await load.more(30);
    await load.stop();
    const last = await readValue(cluster, 'pg_walfile_name(pg_current_wal_lsn())');
    await archiveEverything(cluster);

    const archived = new Set(
      [repositoryPath, other].flatMap((path) => readdirSync(join(path, 'wal_005'))).map((name) => name.slice(0, 24)),
    );
    const segments = readdirSync(join(cluster.dataDirectory, 'pg_wal')).filter(
      (name) => /^[0-9A-F]{24}$/.test(name) && name <= last,
    );
    expect(segments.length).toBeGreaterThan(10);
    expect(segments.filter((name) => !archived.has(name))).toEqual([]);
    expect(readdirSync(join(other, 'wal_005'))).toContain(`${last}.zst`);
  },
);

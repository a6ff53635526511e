import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseBackupLabel } from '../../src/postgres/backup-label.ts';
import { formatLsn } from '../../src/postgres/lsn.ts';
import { parsePostmasterPid } from '../../src/postgres/postmaster-pid.ts';
import { formatTablespaceMap, parseTablespaceMap } from '../../src/postgres/tablespace-map.ts';
import { startCluster } from '../support/postgres.ts';
import { postgresMajors } from '../support/postgres-binaries.ts';

describe.for(postgresMajors)('what PostgreSQL %i writes about itself', (major) => {
  it('is understood: label, tablespace map, .backup file and postmaster.pid', async () => {
    await using server = await startCluster({ major, archiveCommand: 'cp %p ../archived-%f' });
    const location = server.makeDirectory('table space\\');
    await server.query(`create tablespace elsewhere location '${location}'`);

    const session = await server.connect();
    const [start, stop] =
      major >= 15
        ? ["pg_backup_start('nightly', true)", 'pg_backup_stop(true)']
        : ["pg_start_backup('nightly', true, false)", 'pg_stop_backup(false, true)'];
    const started = await session.query(`select ${start}::text as lsn`);
    const stopped = await session.query(`select lsn::text, labelfile, spcmapfile from ${stop}`);
    await session.end();

    const label = parseBackupLabel(Buffer.from(stopped.rows[0].labelfile));
    expect(label).toMatchObject({
      timeline: 1,
      method: 'streamed',
      from: 'primary',
      label: 'nightly',
      stop: undefined,
    });
    expect(formatLsn(label.startLsn)).toBe(started.rows[0].lsn);

    const map = Buffer.from(stopped.rows[0].spcmapfile);
    expect(parseTablespaceMap(map)).toEqual([{ oid: expect.stringMatching(/^\d+$/), location }]);
    expect(formatTablespaceMap(parseTablespaceMap(map))).toEqual(map);

    const offset = (label.startLsn % (16n * 1024n * 1024n)).toString(16).toUpperCase().padStart(8, '0');
    const historyFile = join(server.directory, `archived-${label.startSegment}.${offset}.backup`);
    // The end of the backup has waited for it.
    const history = parseBackupLabel(readFileSync(historyFile));
    expect(history).toMatchObject({ startLsn: label.startLsn, checkpointLsn: label.checkpointLsn, timeline: 1 });
    expect(history.stop && formatLsn(history.stop.lsn)).toBe(stopped.rows[0].lsn);

    expect(parsePostmasterPid(readFileSync(join(server.dataDirectory, 'postmaster.pid'), 'utf8'))).toMatchObject({
      processId: server.processId,
      dataDirectory: server.dataDirectory,
      socketDirectory: server.directory,
      status: 'ready',
    });
  });
});

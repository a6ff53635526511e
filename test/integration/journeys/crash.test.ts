import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createCodec } from '../../../src/codec/codecs.ts';
import { formatSegmentName, nextSegment, parseSegmentName } from '../../../src/postgres/wal-name.ts';
import { createRepository } from '../../../src/repository/repository.ts';
import { type ArchivedWal, listSegments, readWal } from '../../../src/repository/wal-archive.ts';
import { createFilesystemStore } from '../../../src/storage/drivers/filesystem.ts';
import { joined } from '../../support/byte-streams.ts';
import { startJourney } from '../../support/journey.ts';
import { createLedger, readLedger } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { startLoad } from '../../support/load.ts';
import type { PostgresMajor } from '../../support/postgres-binaries.ts';
import type { Server } from '../../support/postgres-server.ts';
import { archiveEverything, readArchiver, waitForPromotion } from '../../support/server-state.ts';
import { waitFor } from '../../support/wait-for.ts';

const majors: readonly PostgresMajor[] = [14, 18];
const segmentSizeBytes = 1024 * 1024;

it.each(majors)(
  'a PostgreSQL %i server that is killed under load, again and again, leaves an archive without gaps',
  async (major) => {
    // Small segments, so that the archiver is always at work, and all of them kept for the comparison.
    await using journey = await startJourney({ major, segmentSizeMib: 1, settings: { wal_keep_size: '1GB' } });
    const { cluster, repositoryPath } = journey;
    await createLedger(cluster);
    await journey.backUp();
    for (let kill = 0; kill < 3; kill += 1) {
      const load = startLoad(cluster);
      await load.more(30);
      killAll(cluster);
      await cluster.waitForExit();
      await load.lost();
      // Refused while one of the old processes is still about to end.
      await waitFor('the server to start again', () =>
        cluster.start().then(
          () => true,
          () => false,
        ),
      );
      const state = await readLedger(cluster);
      expect(state.batches).toBeGreaterThanOrEqual(load.confirmedBatches);
      await expectLedger(cluster, state);
    }
    await archiveEverything(cluster);
    // The statistics begin anew after a crash.
    expect((await readArchiver(cluster)).failedCount).toBe(0);
    expect(cluster.log()).not.toContain('holds other bytes');

    const repository = createRepository(createFilesystemStore(repositoryPath), createCodec('zstd'));
    const archived = await Array.fromAsync(listSegments(repository, { namePrefix: '00000001' }));
    expect(gapsIn(archived)).toEqual([]);
    const walDirectory = join(cluster.dataDirectory, 'pg_wal');
    const local = new Set(readdirSync(walDirectory));
    const kept = archived.filter(({ fileName }) => local.has(fileName));
    expect(kept.length).toBeGreaterThan(10);
    for (const wal of kept) {
      const bytes = await joined(readWal(repository, wal));
      expect(bytes.equals(readFileSync(join(walDirectory, wal.fileName))), wal.fileName).toBe(true);
    }

    const end = await readLedger(cluster);
    await journey.destroyCluster();
    await using server = await journey.restore('LATEST');
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, end);
  },
);

/** kill -9 for the postmaster and all of its children. */
function killAll({ processId }: Server): void {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const children = processes.filter(([, parent]) => parent === processId).map(([child]) => child);
  for (const id of [processId, ...children]) {
    try {
      process.kill(Number(id), 'SIGKILL');
    } catch (error) {
      // It has ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The names after which one is missing. */
function gapsIn(archived: readonly ArchivedWal[]): string[] {
  return archived.slice(0, -1).flatMap(({ fileName }, index) => {
    const next = formatSegmentName(nextSegment(parseSegmentName(fileName, segmentSizeBytes)), segmentSizeBytes);
    return archived[index + 1]?.fileName === next ? [] : [fileName];
  });
}

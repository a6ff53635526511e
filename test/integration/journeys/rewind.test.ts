import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import type { Server } from '../../support/postgres-server.ts';
import { describeWithTools } from '../../support/postgres-tools.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { runCommand } from '../../support/run-command.ts';
import { runSeawall } from '../../support/seawall.ts';
import { archiveEverything, readTimeline, readValue, waitForPromotion } from '../../support/server-state.ts';
import { giveToServerUser, makeServerDirectory } from '../../support/server-user.ts';
import { waitFor } from '../../support/wait-for.ts';

/** The segments that a cluster has archived. */
function archivedSegmentsOf({ dataDirectory }: Server): string[] {
  const notes = readdirSync(join(dataDirectory, 'pg_wal', 'archive_status'));
  return notes.filter((note) => /^[0-9A-F]{24}\.done$/.test(note)).map((note) => note.slice(0, 24));
}

describeWithTools('an old primary, after its standby has taken over', (tools) => {
  it('is rewound with WAL that only the archive has, and follows its successor', async () => {
    await using stack = new AsyncDisposableStack();
    const home = makeServerDirectory('seawall-rewind-');
    stack.defer(() => removeTree(home));
    // pg_rewind fails where a file goes while it removes the directory: here no agent tidies up after a server that has ended.
    const repository = { flags: ['--repository', `file://${home}`], environment: { SEAWALL_AGENT: 'off' } };
    await using journey = await startJourney({ major: tools.major, repository });
    const { cluster } = journey;
    const walg = (...args: string[]) =>
      runSeawall(['wal-g', ...args], { asServerUser: true, env: { WALG_FILE_PREFIX: home } });
    const rewind = (target: Server, source: Server) =>
      runCommand(
        tools.path('pg_rewind'),
        ['--target-pgdata', target.dataDirectory, '--source-pgdata', source.dataDirectory],
        { asServerUser: true, env: { LC_ALL: 'C' } },
      );

    await createLedger(cluster);
    await writeBatches(cluster, 3);
    await journey.backUp();
    await using standby = await journey.restore('LATEST', ['--standby', '--archive-mode', 'keep']);
    await standby.start();
    await cluster.query('CHECKPOINT');
    await writeBatches(cluster, 1);
    await archiveEverything(cluster);
    const common = await readLedger(cluster);
    await waitFor('the standby to follow', async () => (await readLedger(standby)).batches === common.batches);
    await standby.query('SELECT pg_promote()');
    await waitForPromotion(standby);

    // The old primary has not noticed, and goes on.
    for (const server of [cluster, standby]) {
      await writeBatches(server, 1);
      await archiveEverything(server);
      await server.query('CHECKPOINT');
    }
    await writeBatches(standby, 2);
    expect(await readTimeline(standby)).toBe(2);
    const end = await readLedger(standby);
    await cluster.stop('fast');
    await standby.stop('fast');

    // All that was archived goes, as checkpoints do it on a busy server.
    for (const name of archivedSegmentsOf(cluster))
      rmSync(join(cluster.dataDirectory, 'pg_wal', name), { force: true });
    expect(await rewind(cluster, standby)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('pg_wal') });

    const restored = await walg('wal-restore', cluster.dataDirectory, standby.dataDirectory);
    expect(restored).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Successfully download WAL file') });
    expect(await rewind(cluster, standby)).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Done!') });

    expect((await walg('wal-restore', standby.dataDirectory, standby.dataDirectory)).exitCode).toBe(64);
    writeFileSync(join(cluster.dataDirectory, 'standby.signal'), '');
    giveToServerUser(join(cluster.dataDirectory, 'standby.signal'));
    await cluster.start();
    await waitFor('the old primary to follow', async () => (await readLedger(cluster)).batches === end.batches);
    expect(await readValue(cluster, 'pg_is_in_recovery()')).toBe('true');
    await expectLedger(cluster, end);
  });
});

import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import { prepareServer, type Server } from '../support/postgres-server.ts';
import { archiveEverything, readRow, waitForPromotion } from '../support/server-state.ts';
import { walgFixture } from '../support/walg-fixture.ts';
import { makeWalgHome } from '../support/walg-home.ts';

const factsOf = (server: Server) =>
  readRow<{ facts: string }>(
    server,
    "SELECT count(*) || '|' || md5(string_agg(id || ':' || v, ',' ORDER BY id)) AS facts FROM facts",
  );

/** Count and digest of the table `facts` at the end of the WAL, see states.tsv. */
function lastFacts(): string | undefined {
  return /^last\t.*\t(.*)$/m.exec(readFileSync(walgFixture('zstd-deltas/states.tsv'), 'utf8'))?.[1];
}

it('a repository of WAL-G with deltas goes on: fetched, recovered, archived to, backed up to, and fetched again', async () => {
  await using home = makeWalgHome();
  const repository = join(home.path, 'repository');
  cpSync(walgFixture('zstd-deltas/repo'), repository, { recursive: true });
  giveTreeToServerUser(repository);
  writeFileSync(join(home.path, '.walg.yaml'), `WALG_FILE_PREFIX: ${repository}\nWALG_COMPRESSION_METHOD: zstd\n`);

  async function fetchBackup(name: string): Promise<Server> {
    const [dataDirectory, spec] = [join(home.path, name), join(home.path, `${name}.json`)];
    const tablespace = { loc: join(home.path, `${name}-ts`), link: 'pg_tblspc/16384' };
    writeFileSync(spec, JSON.stringify({ base_prefix: dataDirectory, tablespaces: ['16384'], 16384: tablespace }));
    const result = await home.run(['backup-fetch', dataDirectory, 'LATEST', '--restore-spec', spec]);
    expect(result).toMatchObject({ exitCode: 0 });
    const settings = [
      'archive_mode = on',
      "archive_command = 'wal-g wal-push %p'",
      "restore_command = 'wal-g wal-fetch %f %p'",
    ];
    appendFileSync(join(dataDirectory, 'postgresql.conf'), `${settings.join('\n')}\n`);
    writeFileSync(join(dataDirectory, 'recovery.signal'), '');
    return await prepareServer({ major: 18, dataDirectory, environment: home.environment });
  }

  await using first = await fetchBackup('first');
  await first.start();
  await waitForPromotion(first);
  expect(await factsOf(first)).toEqual({ facts: lastFacts() });
  expect(await first.query('SELECT count(*)::int AS count FROM spread')).toEqual([{ count: 4100 }]);

  expect(await home.run(['backup-push', first.dataDirectory], first.clientEnvironment)).toMatchObject({ exitCode: 0 });
  await first.query("INSERT INTO facts SELECT n, 'new' FROM generate_series(100001, 101000) AS n");
  await archiveEverything(first);
  const facts = await factsOf(first);
  await first.stop('fast');
  const { stdout } = await home.run(['backup-list', '--json']);
  expect(JSON.parse(stdout)).toHaveLength(4);

  await using second = await fetchBackup('second');
  await second.start();
  await waitForPromotion(second);
  expect(await factsOf(second)).toEqual(facts);
});

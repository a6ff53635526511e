/**
 * The main job, on a real PostgreSQL, in a temporary directory: archive, back up, lose everything, bring it back to the second
 * before. Run it with `npm run demo`. It leaves nothing behind.
 */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../../test/support/postgres.ts';
import { type Server, startServer } from '../../test/support/postgres-server.ts';
import { runSeawall, seawallEnvironment, seawallPath } from '../../test/support/seawall.ts';
import { waitFor } from '../../test/support/wait-for.ts';

const startedAtMs = Date.now();

say('Seawall in a minute. Everything happens in a temporary directory, and nothing of it is left behind.');

await using server = await startCluster({
  major: 18,
  settings: { archive_mode: 'on' },
  environment: seawallEnvironment,
});
const repository = server.makeDirectory('repository');
await useRepository(server, repository);

step('A PostgreSQL 18 server is running, and archives every piece of its log as it goes');
command(`archive_command = 'seawall wal-push "%p" --repository file://${repository}'`);
await server.query('CREATE TABLE orders (id int PRIMARY KEY, item text, placed_at timestamptz DEFAULT now())');
await placeOrders(server, 1, 1000);
say('1000 orders have come in.');

step('A base backup, while the server goes on working');
await seawall(server, ['basebackup', server.dataDirectory]);
await seawall(server, ['list']);

step('The day goes on: more orders come in after the backup');
await placeOrders(server, 1001, 1500);
await delay(1100);
const [good] = await server.query<{ at: string; orders: string; sum: string }>(
  "SELECT now()::text AS at, count(*) AS orders, md5(string_agg(id || item, ',' ORDER BY id)) AS sum FROM orders",
);
if (good === undefined) throw new Error('the server gave no row');
say(`At ${good.at} there are ${good.orders} orders.`);
await delay(1100);

step('Then somebody forgets a WHERE, and a minute later the disk dies');
command('DELETE FROM orders;');
await server.query('DELETE FROM orders');
await server.query('SELECT pg_switch_wal()');
await waitForArchiver(server);
await server.stop('fast');
command(`rm -rf ${server.dataDirectory}`);
rmSync(server.dataDirectory, { recursive: true, maxRetries: 20 });

step(`Bring it back to ${good.at}, the second before`);
await seawall(server, [
  'restore',
  'LATEST',
  server.dataDirectory,
  '--target-time',
  good.at,
  '--target-action',
  'promote',
]);

step('Start it: PostgreSQL fetches its log from the repository, replays it up to that second, and opens');
await using restored = await startServer({
  major: 18,
  dataDirectory: server.dataDirectory,
  environment: seawallEnvironment,
});
await waitFor('the end of recovery', async () => {
  const [row] = await restored.query<{ recovering: boolean }>('SELECT pg_is_in_recovery() AS recovering');
  return row?.recovering === false;
});
const [back] = await restored.query<{ orders: string; sum: string }>(
  "SELECT count(*) AS orders, md5(string_agg(id || item, ',' ORDER BY id)) AS sum FROM orders",
);
if (back?.orders !== good.orders || back.sum !== good.sum) {
  throw new Error(`the rows are not what they were: ${back?.orders} orders instead of ${good.orders}`);
}
say(`All ${back.orders} orders are back, every one as it was.`);
say(
  `\nThat took ${Math.round((Date.now() - startedAtMs) / 1000)} seconds. The README tells how to set this up on a real server.`,
);

/** The repository lies in the server's own temporary directory, so its path is known only when the server runs. */
async function useRepository(target: Server, path: string): Promise<void> {
  await target.query(`ALTER SYSTEM SET archive_command = '${seawallPath} wal-push "%p" --repository file://${path}'`);
  await target.query('SELECT pg_reload_conf()');
}

async function placeOrders(target: Server, from: number, to: number): Promise<void> {
  await target.query(
    `INSERT INTO orders (id, item) SELECT id, 'item ' || md5(id::text) FROM generate_series(${from}, ${to}) AS id`,
  );
}

async function waitForArchiver(target: Server): Promise<void> {
  await waitFor('the archiver', async () => {
    const [row] = await target.query<{ waiting: string }>(
      "SELECT count(*) AS waiting FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'",
    );
    return row?.waiting === '0';
  });
}

/** Runs the command as the server's user would, and shows it with what it prints. */
async function seawall(target: Server, args: readonly string[]): Promise<void> {
  command(`seawall ${args.map((word) => (/[\s+]/.test(word) ? `'${word}'` : word)).join(' ')}`);
  const result = await runSeawall(args, {
    asServerUser: true,
    cwd: target.directory,
    env: { ...target.clientEnvironment, HOME: target.directory, SEAWALL_REPOSITORY: `file://${repository}` },
  });
  for (const line of `${result.stderr}${result.stdout}`.trimEnd().split('\n')) console.log(`    ${line}`);
  if (result.exitCode !== 0) throw new Error(`seawall ${args[0]} ended with ${result.exitCode}`);
}

function step(text: string): void {
  console.log(`\n* ${text}`);
}

function say(text: string): void {
  console.log(text.startsWith('\n') ? text : `  ${text}`);
}

function command(text: string): void {
  console.log(`    $ ${text}`);
}

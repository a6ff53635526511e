import { randomBytes } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { generateKey } from 'openpgp';
import { describe, expect, it } from 'vitest';
import { looksPlain } from '../../../src/codec/recognise.ts';
import { agentsOf } from '../../support/agent-processes.ts';
import { type Journey, type RepositoryAddress, startJourney } from '../../support/journey.ts';
import { startKmsServer } from '../../support/kms-server.ts';
import { createLedger, type LedgerState, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { archiveEverything, readValue, waitForPromotion } from '../../support/server-state.ts';
import { giveToServerUser, makeServerDirectory } from '../../support/server-user.ts';
import { waitFor } from '../../support/wait-for.ts';

const passphrase = 'correct horse';

/** A way to encrypt: what it adds to the repository's flags and variables; what it needs for that goes with the stack. */
type Encryption = (directory: string, stack: AsyncDisposableStack) => RepositoryAddress | Promise<RepositoryAddress>;

const encryptions = {
  'libsodium, its key in a file': (directory: string): RepositoryAddress => {
    writeKey(join(directory, 'key'));
    return { flags: ['--libsodium-key-file', join(directory, 'key'), '--libsodium-key-transform', 'hex'] };
  },
  'openpgp, its key in a variable': async (): Promise<RepositoryAddress> => {
    const userIDs = [{ name: 'test' }];
    const { privateKey } = await generateKey({ type: 'curve25519', userIDs, passphrase });
    const environment = { WALG_PGP_KEY: privateKey.replaceAll('\n', '\\n'), WALG_PGP_KEY_PASSPHRASE: passphrase };
    return { flags: [], environment };
  },
  'aws-kms': async (_directory: string, stack: AsyncDisposableStack): Promise<RepositoryAddress> => {
    const kms = stack.use(await startKmsServer());
    const flags = ['--aws-kms-key-id', 'alias/test', '--aws-kms-region', 'eu-north-1', '--aws-kms-endpoint', kms.url];
    return { flags, environment: { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'c0nfidential' } };
  },
} satisfies Readonly<Record<string, Encryption>>;

const libsodium = encryptions['libsodium, its key in a file'];

function writeKey(path: string, key = randomBytes(32).toString('hex')): void {
  writeFileSync(path, key, { mode: 0o600 });
  giveToServerUser(path);
}

interface EncryptedJourney extends Journey {
  readonly directory: string;
}

async function startEncrypted(encryption: Encryption): Promise<EncryptedJourney> {
  await using stack = new AsyncDisposableStack();
  const directory = makeServerDirectory('seawall-encrypted-');
  stack.defer(() => removeTree(directory));
  mkdirSync(join(directory, 'repository'));
  giveToServerUser(join(directory, 'repository'));
  const { flags, environment = {} } = await encryption(directory, stack);
  const repository = { flags: ['--repository', join(directory, 'repository'), ...flags], environment };
  const journey = stack.use(await startJourney({ segmentSizeMib: 1, repository }));
  const disposables = stack.move();
  return { ...journey, directory, [Symbol.asyncDispose]: () => disposables.disposeAsync() };
}

/** More segments than PostgreSQL hands over one by one, so that the agent gets its share; resolves when all are archived. */
async function writeBacklog({ cluster }: Journey): Promise<LedgerState> {
  const notes = join(cluster.dataDirectory, 'pg_wal/pgsql_tmp_seawall/*/push.*/pushed/*');
  let segments = 0;
  // A note is soon gone again: on a machine that stalls it takes more segments until one is seen.
  await waitFor(
    'a segment that the agent has pushed',
    async () => {
      await writeBatches(cluster, 1);
      await cluster.query('SELECT pg_switch_wal()');
      segments += 1;
      return segments >= 10 && globSync(notes).length > 0;
    },
    { intervalMs: 5 },
  );
  await archiveEverything(cluster);
  return await readLedger(cluster);
}

/** Resolves when the agent has noticed that its settings no longer hold, for which it looks once in a second. */
async function agentsEnded({ cluster }: Journey): Promise<void> {
  await waitFor('the agents to end', () => agentsOf(cluster).length === 0);
}

/** The stored objects but for the JSON beside a backup, by name. */
function storedObjects(directory: string): Map<string, Buffer> {
  const folders = ['wal_005/*', 'basebackups_005/*/tar_partitions/*', 'basebackups_005/*/backup_manifest'];
  const paths = globSync(folders.map((folder) => join(directory, 'repository', folder)));
  return new Map(paths.map((path) => [basename(path), readFileSync(path)]));
}

describe.each(Object.entries(encryptions))('a cluster that is encrypted by %s', (_name, encryption) => {
  it('comes back as it was, and no object of it is plain', async () => {
    await using journey = await startEncrypted(encryption);
    await createLedger(journey.cluster);
    await journey.backUp();
    const end = await writeBacklog(journey);
    expect(journey.cluster.log()).not.toMatch(/without the agent|failed/);

    const objects = storedObjects(journey.directory);
    expect(objects.size).toBeGreaterThan(12);
    const plain = [...objects].filter(([path, bytes]) => looksPlain(path.endsWith('.zst') ? 'zst' : '', bytes));
    expect(plain.map(([path]) => path)).toEqual([]);

    await journey.destroyCluster();
    await using server = await journey.restore('LATEST');
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, end);
  });
});

it('a cluster whose key is not at hand comes back when it is', async () => {
  await using journey = await startEncrypted(libsodium);
  await createLedger(journey.cluster);
  await journey.backUp();
  const end = await writeBacklog(journey);
  await journey.destroyCluster();
  const keyPath = join(journey.directory, 'key');
  const key = readFileSync(keyPath, 'utf8');

  writeKey(keyPath);
  const destination = join(journey.directory, 'refused');
  const refusal = await journey.run('restore', 'LATEST', destination);
  expect(refusal).toMatchObject({ exitCode: 65, stderr: expect.stringContaining('wrong libsodium key') });
  expect(existsSync(destination)).toBe(false);

  writeKey(keyPath, key);
  await using server = await journey.restore('LATEST');
  writeKey(keyPath);
  await expect(server.start()).rejects.toThrow();
  expect(server.log()).toContain('wrong libsodium key');
  expect(server.log()).toContain('exit code 200');
  expect(server.log()).not.toContain('archive recovery complete');

  writeKey(keyPath, key);
  await server.start();
  await waitForPromotion(server);
  await expectLedger(server, end);
});

it('a new key serves for the next segments, though an agent with the old one is at work', async () => {
  await using journey = await startEncrypted(libsodium);
  const { cluster, directory } = journey;
  await createLedger(cluster);
  await writeBacklog(journey);
  const lastArchived = () => readValue(cluster, '(SELECT last_archived_wal FROM pg_stat_archiver)');
  const before = await lastArchived();

  writeKey(join(directory, 'key'));
  await agentsEnded(journey);
  await writeBacklog(journey);
  const fetch = (name: string) => journey.run('wal-fetch', name, join(directory, 'fetched'));
  expect(await fetch(before)).toMatchObject({ exitCode: 200, stderr: expect.stringContaining('wrong libsodium key') });
  expect(await fetch(await lastArchived())).toMatchObject({ exitCode: 0 });
});

it('a repository in which encryption was switched on later is read as a whole where that is allowed', async () => {
  const settings: string[] = [];
  const configPath = (directory: string) => join(directory, 'config.yaml');
  const configure = (directory: string, ...more: string[]) => {
    settings.push(...more);
    writeFileSync(configPath(directory), settings.map((line) => `${line}\n`).join(''));
  };
  await using journey = await startEncrypted((directory) => {
    configure(directory);
    return { flags: ['--config', configPath(directory)] };
  });
  const { directory } = journey;
  await createLedger(journey.cluster);
  await journey.backUp();
  await writeBacklog(journey);

  writeKey(join(directory, 'key'));
  configure(directory, `libsodiumKeyFile: ${join(directory, 'key')}`, 'libsodiumKeyTransform: hex');
  await agentsEnded(journey);
  const end = await writeBacklog(journey);
  await journey.destroyCluster();

  expect(await journey.run('restore', 'LATEST', join(directory, 'refused'))).toMatchObject({
    exitCode: 65,
    stderr: expect.stringContaining('it is not encrypted, and encryption is configured'),
  });
  configure(directory, 'allowUnencrypted: on');
  await using server = await journey.restore('LATEST');
  await server.start();
  await waitForPromotion(server);
  await expectLedger(server, end);
});

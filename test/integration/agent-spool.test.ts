import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { spoolName } from '../../src/wal/spool.ts';
import { agentsOf, halfOf, processStatus, runningAgent, spooled } from '../support/agent-processes.ts';
import { type ArchivingCluster, fillSegments, startArchiving } from '../support/archiving-cluster.ts';
import { mayMount, mountSmallFileSystem } from '../support/mounts.ts';
import { removeTree } from '../support/remove-tree.ts';
import { readArchiver } from '../support/server-state.ts';
import { giveToServerUser } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';

/** How many files each test lets wait. */
const backlog = 6;

describe('a spool that is odd', () => {
  let archiving: ArchivingCluster;
  let root: string;
  let logged = 0;
  let failedBefore = 0;
  beforeAll(async () => {
    archiving = await startArchiving();
    root = join(archiving.cluster.dataDirectory, 'pg_wal', spoolName);
  });
  afterAll(() => archiving[Symbol.asyncDispose]());
  afterEach(async () => {
    // Also after a test that has failed on its way.
    archiving.openGate();
    await archiving.drained();
    for (const path of [root, away(), elsewhere()]) await removeTree(path);
    await waitFor('the agent to end', () => agentsOf(archiving.cluster).length === 0);
    logged = archiving.cluster.log().length;
    failedBefore = (await readArchiver(archiving.cluster)).failedCount;
  });

  const away = () => `${root}.away`;
  const elsewhere = () => join(archiving.home, 'elsewhere');

  const warnings = () =>
    archiving.cluster
      .log()
      .slice(logged)
      .match(/seawall: .*/g) ?? [];

  /** Everything is archived, whatever the spool is like, and each call says at most one thing about it. */
  async function expectArchived(files = backlog): Promise<void> {
    await archiving.drained();
    const archived = await archiving.compareArchive();
    expect(archived).toBeGreaterThanOrEqual(files);
    expect((await readArchiver(archiving.cluster)).failedCount).toBe(failedBefore);
    // What an agent has stored and could not note any more is found there.
    const notOfSpool = warnings().filter(
      (line) => !line.startsWith('seawall: warn: archived already, with the same bytes'),
    );
    expect(notOfSpool.length).toBeLessThanOrEqual(archived);
    expect(notOfSpool.filter((line) => !line.startsWith('seawall: warn: going on without the agent'))).toEqual([]);
  }

  async function replaceByFile(): Promise<boolean> {
    await removeTree(root);
    try {
      writeFileSync(root, '', { flag: 'wx' });
      return true;
    } catch {
      return false;
    }
  }

  function makeRoot(): string {
    mkdirSync(root, { mode: 0o700 });
    giveToServerUser(root);
    return root;
  }

  it.each([
    ['is a file', () => writeFileSync(root, 'rubbish')],
    ['is open to others', () => chmodSync(makeRoot(), 0o755)],
    ['may not be written to', () => chmodSync(makeRoot(), 0o500)],
    ['leads nowhere', () => symlinkSync('/nowhere', root)],
  ])('is left alone when it %s', async (_what, make) => {
    make();
    await archiving.pileUp(backlog);
    await expectArchived();
    // The last call finds nothing else waiting, and so no use for an agent.
    expect(warnings().length).toBeGreaterThanOrEqual(backlog - 1);
  });

  it('is left alone when it leads elsewhere, even to a directory that is the server’s own', async () => {
    mkdirSync(elsewhere(), { mode: 0o700 });
    giveToServerUser(elsewhere());
    symlinkSync(elsewhere(), root);
    await archiving.pileUp(backlog);
    await expectArchived();
    expect(readdirSync(elsewhere())).toEqual([]);
  });

  it('is left alone when it is another user’s', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root gives files away');
    chownSync(makeRoot(), 1, 1);
    await archiving.pileUp(backlog);
    await expectArchived();
    expect(readdirSync(root)).toEqual([]);
  });

  it('is left alone when it lies on another file system', async ({ skip }) => {
    if (!mayMount) skip('this user may not mount file systems');
    using _mounted = mountSmallFileSystem(makeRoot(), 1);
    await archiving.pileUp(backlog);
    await expectArchived();
    expect(readdirSync(root)).toEqual([]);
  });

  it.each([
    ['is removed', () => removeTree(root)],
    ['is moved away', () => renameSync(root, away())],
    ['becomes open to others', () => chmodSync(root, 0o777)],
    [
      'is replaced by a file',
      // A call may make it anew in between.
      () => waitFor('the file in its place', replaceByFile, { intervalMs: 1 }),
    ],
  ])('costs nothing but the agent when it %s while the agent is at work', async (_what, spoil) => {
    archiving.closeGate();
    await fillSegments(archiving.cluster, 4 * backlog);
    archiving.admitFirst();
    const agent = await runningAgent(archiving.cluster);
    await waitFor('a note', () => spooled(archiving.cluster, 'push', 'pushed').length > 0, { intervalMs: 1 });
    archiving.openGate();
    await spoil();
    await expectArchived(4 * backlog);
    await waitFor('the agent to end', () => processStatus(agent.processId) === undefined);
  });

  it('is used in spite of rubbish in it, and what is not the agent’s stays', async () => {
    await archiving.pileUp(backlog);
    const agent = await runningAgent(archiving.cluster);
    await archiving.drained();
    process.kill(agent.processId, 'SIGKILL');
    const half = halfOf(archiving.cluster, 'push') ?? '';
    const hostile = ['$(touch owned)', '-rf', '..ready', 'a b', '\n', '*', '00000001000000000000000G', 'x'.repeat(250)];
    for (const folder of [
      root,
      dirname(half),
      ...['', 'pushed', 'claimed', 'failed'].map((name) => join(half, name)),
    ]) {
      for (const name of hostile) writeFileSync(join(folder, name), 'rubbish');
      giveToServerUser(folder);
    }
    writeFileSync(join(half, 'agent'), 'rubbish');
    archiving.closeGate();
    const [first = '', second = '', third = '', fourth = ''] = await fillSegments(archiving.cluster, backlog);
    writeFileSync(join(half, 'pushed', first), 'rubbish');
    mkdirSync(join(half, 'pushed', second));
    symlinkSync('/nowhere', join(half, 'pushed', third));
    writeFileSync(join(half, 'claimed', fourth), '1 rubbish\n');
    archiving.openGate();
    await expectArchived();
    expect(existsSync(join(archiving.cluster.dataDirectory, 'owned'))).toBe(false);
    expect(readdirSync(root)).toEqual(expect.arrayContaining(hostile));
  });

  it('is used in spite of files with hostile names among those that wait', async () => {
    const status = join(archiving.cluster.dataDirectory, 'pg_wal', 'archive_status');
    const hostile = ['$(touch owned).ready', '-rf.ready', '.ready', '..ready', '\n.ready', 'x.ready'];
    for (const name of hostile) writeFileSync(join(status, name), '');
    await archiving.pileUp(backlog);
    await runningAgent(archiving.cluster);
    await expectArchived();
    for (const name of hostile) rmSync(join(status, name));
    expect(existsSync(join(archiving.cluster.dataDirectory, 'owned'))).toBe(false);
  });

  it.each([
    ['the future', new Date('2199-01-01')],
    ['the past', new Date('1971-01-01')],
  ])('is used while the segments’ times lie in %s', async (_when, time) => {
    archiving.closeGate();
    const names = await fillSegments(archiving.cluster, backlog);
    for (const name of names) utimesSync(join(archiving.cluster.dataDirectory, 'pg_wal', name), time, time);
    archiving.admitFirst();
    await runningAgent(archiving.cluster);
    const noted = () => spooled(archiving.cluster, 'push', 'pushed');
    await waitFor('the notes', () => names.slice(1).every((name) => noted().includes(name)), { intervalMs: 1 });
    archiving.openGate();
    await expectArchived();
    expect(warnings()).toEqual([]);
  });
});

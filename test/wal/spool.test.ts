import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalFileError } from '../../src/errors.ts';
import { findHalf, isInPlace, makeHalf, removeHalf, type SpoolCall, spoolName } from '../../src/wal/spool.ts';
import { makeSpoolSpace, type SpoolSpace } from '../support/spool-space.ts';

let space: SpoolSpace;
let call: SpoolCall;
beforeEach(() => {
  space = makeSpoolSpace();
  call = space.call('push');
});
afterEach(() => space[Symbol.dispose]());

async function madeHalf(of: SpoolCall = call) {
  const half = await makeHalf(of);
  if (half === undefined) throw new Error('no half was made');
  return half;
}

describe('the spool', () => {
  it('lies in pg_wal, under a name that PostgreSQL skips, the run of the server, and a new name for each half', async () => {
    const { path } = await madeHalf();
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    expect(dirname(path)).toBe(space.path('pg_wal', 'pgsql_tmp_seawall', `${bootId}-4711-1795248000`));
    expect(basename(path)).toMatch(/^push\.\w{6}$/);
    expect(readFileSync(join(dirname(path), 'push'), 'utf8')).toBe(`${basename(path)}\n${call.settings}\n`);
  });

  it('is open to its owner alone, whatever the umask', async () => {
    const { path } = await madeHalf();
    for (const directory of [path, dirname(path), space.path('pg_wal', spoolName)]) {
      expect(statSync(directory).mode & 0o777).toBe(0o700);
    }
  });

  it('is found again by a call with the same settings, and by no other', async () => {
    const half = await madeHalf();
    expect(await findHalf(call)).toEqual(half);
    expect(await makeHalf(call)).toEqual(half);
    expect(await findHalf({ ...call, settings: `${call.settings} ` })).toBeUndefined();
    expect(await findHalf({ ...call, settings: '' })).toBeUndefined();
    expect(await findHalf({ ...call, direction: 'fetch' })).toBeUndefined();
  });

  it('gives each direction a half of its own', async () => {
    const push = await madeHalf();
    const fetch = await madeHalf(space.call('fetch', { settings: 'others' }));
    expect(await findHalf(call)).toEqual(push);
    expect(readdirSync(push.path).sort()).toEqual(['claimed', 'failed', 'pushed', 'times']);
    expect(readdirSync(fetch.path).sort()).toEqual(['claimed', 'fetched', 'times']);
  });

  it('makes a new half for other settings, and never uses the old one again', async () => {
    const old = await madeHalf();
    const other = { ...call, settings: 'another repository' };
    const half = await madeHalf(other);
    expect(half.path).not.toBe(old.path);
    expect(await findHalf(call)).toBeUndefined();
    expect(await isInPlace(old, call)).toBe(false);
    expect((await madeHalf()).path).not.toBe(old.path);
  });

  it('takes no settings of several lines', async () => {
    const two = { ...call, settings: 'one\ntwo' };
    expect(await makeHalf(two)).toBeUndefined();
    expect(await findHalf(two)).toBeUndefined();
  });

  it('belongs to one run of the server', async () => {
    const half = await madeHalf();
    space.startServer(1_795_248_001);
    expect(await findHalf(call)).toBeUndefined();
    space.startServer(1_795_248_000, 4712);
    expect(await findHalf(call)).toBeUndefined();
    space.startServer(1_795_248_000);
    expect(await findHalf(call)).toEqual(half);
    rmSync(space.path('postmaster.pid'));
    expect(await findHalf(call)).toBeUndefined();
    expect(await makeHalf(call)).toBeUndefined();
  });

  it('can be removed at any time', async () => {
    const half = await madeHalf();
    await removeHalf(half);
    await removeHalf(half);
    expect(await findHalf(call)).toBeUndefined();
    expect(await makeHalf(call)).toBeDefined();
    rmSync(space.path('pg_wal', spoolName), { recursive: true });
    expect(await findHalf(call)).toBeUndefined();
    expect(await makeHalf(call)).toBeDefined();
  });
});

describe('the spool does without what is odd', () => {
  const root = () => space.path('pg_wal', spoolName);

  async function refused(): Promise<void> {
    expect(await findHalf(call)).toBeUndefined();
    await expect(makeHalf(call)).rejects.toThrow(LocalFileError);
    await expect(makeHalf(call)).rejects.toThrow(/cannot use the spool/);
  }

  it('a symbolic link in its place', async () => {
    const { path } = await madeHalf();
    const elsewhere = space.path('elsewhere');
    renameSync(root(), elsewhere);
    symlinkSync(elsewhere, root());
    await refused();
    rmSync(root());
    renameSync(elsewhere, root());
    renameSync(dirname(path), elsewhere);
    symlinkSync(elsewhere, dirname(path));
    await refused();
    expect(lstatSync(dirname(path)).isSymbolicLink()).toBe(true);
  });

  it('a symbolic link in place of the half', async () => {
    const { path } = await madeHalf();
    renameSync(path, space.path('elsewhere'));
    symlinkSync(space.path('elsewhere'), path);
    expect(await findHalf(call)).toBeUndefined();
    expect((await madeHalf()).path).not.toBe(path);
  });

  it('a file in its place', async () => {
    writeFileSync(root(), '');
    await refused();
  });

  it('a directory that others can enter', async () => {
    const { path } = await madeHalf();
    for (const directory of [root(), dirname(path)]) {
      chmodSync(directory, 0o755);
      await refused();
      chmodSync(directory, 0o700);
    }
    chmodSync(path, 0o750);
    expect(await findHalf(call)).toBeUndefined();
  });

  it.runIf(process.getuid?.() === 0)('a directory of another user', async () => {
    await madeHalf();
    chownSync(root(), 65534, 65534);
    await refused();
  });

  it('a half with a hostile name', async () => {
    const { path } = await madeHalf();
    mkdirSync(space.path('push.x'), { mode: 0o700 });
    for (const name of ['../../../push.x', '', '.', '..', 'fetch.x', 'push.', `push.x/../${basename(path)}`]) {
      writeFileSync(join(dirname(path), 'push'), `${name}\n${call.settings}\n`);
      expect(await findHalf(call), name).toBeUndefined();
    }
  });

  it('rubbish in it', async () => {
    const { path } = await madeHalf();
    writeFileSync(join(dirname(path), 'push'), Buffer.alloc(4096, 0xff));
    expect(await findHalf(call)).toBeUndefined();
    expect(await makeHalf(call)).toBeDefined();
    rmSync(join(dirname(path), 'push'));
    mkdirSync(join(dirname(path), 'push'));
    expect(await findHalf(call)).toBeUndefined();
    await expect(makeHalf(call)).rejects.toThrow(LocalFileError);
  });

  it.runIf(process.getuid?.() !== 0)('a pg_wal that cannot be written to', async () => {
    chmodSync(space.walDirectory, 0o500);
    await expect(makeHalf(call)).rejects.toThrow(/cannot use the spool/);
    chmodSync(space.walDirectory, 0o700);
  });
});

describe('a configuration file', () => {
  let config: string;
  beforeEach(() => {
    config = space.path('config.yaml');
    writeFileSync(config, 'repository: /srv/wal\n');
    call = space.call('push', { settingsFiles: [config, undefined, space.path('absent')] });
  });

  /** As if this process had begun at another time. */
  async function begunAt<T>(atMs: number, make: () => Promise<T>): Promise<T> {
    const started = Object.getOwnPropertyDescriptor(performance, 'timeOrigin');
    Object.defineProperty(performance, 'timeOrigin', { value: atMs, configurable: true });
    try {
      return await make();
    } finally {
      if (started === undefined) Reflect.deleteProperty(performance, 'timeOrigin');
      else Object.defineProperty(performance, 'timeOrigin', started);
    }
  }

  /** As if this process had begun long after the last change of the file. */
  const madeLater = () => begunAt(Date.now() + 60_000, madeHalf);

  it('makes the half useless when it is written to, touched, replaced or removed', async () => {
    const changes = [
      () => writeFileSync(config, 'repository: /srv/other\n'),
      () => utimesSync(config, 0, 0),
      () => utimesSync(config, new Date(), new Date(Date.now() + 1)),
      () => {
        writeFileSync(`${config}.new`, 'repository: /srv/wal\n');
        renameSync(`${config}.new`, config);
      },
      () => rmSync(config),
    ];
    for (const change of changes) {
      writeFileSync(config, 'repository: /srv/wal\n');
      await madeLater();
      expect(await findHalf(call)).toBeDefined();
      await delay(20);
      change();
      expect(await findHalf(call), String(change)).toBeUndefined();
    }
  });

  it('makes the half useless when it is a link that is led to another file of the same time', async () => {
    const files = ['one', 'other'].map((name) => space.path(`${name}.yaml`));
    for (const file of files) {
      writeFileSync(file, `repository: ${file}\n`);
      utimesSync(file, 1, 1);
    }
    rmSync(config);
    symlinkSync(files[0] ?? '', config);
    await madeLater();
    expect(await findHalf(call)).toBeDefined();
    rmSync(config);
    symlinkSync(files[1] ?? '', config);
    expect(await findHalf(call)).toBeUndefined();
  });

  it('is too young for a half while a link on the way to it may have been led elsewhere after this process had read it', async () => {
    for (const folder of ['one', 'other']) {
      mkdirSync(space.path(folder));
      writeFileSync(space.path(folder, 'config.yaml'), `repository: /srv/${folder}\n`);
    }
    const begunMs = Date.now() + 1_500;
    await delay(2_600);
    rmSync(config);
    symlinkSync(space.path('one', 'config.yaml'), config);
    symlinkSync('other', space.path('current'));
    const inFolder = space.call('push', { settingsFiles: [space.path('current', 'config.yaml')] });
    const inPlace = space.call('push', { settingsFiles: [space.path('other', 'config.yaml')] });
    expect(await begunAt(begunMs, () => makeHalf(call))).toBeUndefined();
    expect(await begunAt(begunMs, () => makeHalf(inFolder))).toBeUndefined();
    expect(await begunAt(begunMs, () => makeHalf(inPlace))).toBeDefined();
  });

  it('makes the half useless when one appears', async () => {
    await madeLater();
    writeFileSync(space.path('absent'), '');
    expect(await findHalf(call)).toBeUndefined();
  });

  it('is too young for a half while this process may have read it before its last change', async () => {
    expect(await makeHalf(call)).toBeUndefined();
    expect(
      readdirSync(join(space.path('pg_wal', spoolName), basename(dirname((await madeLater()).path)))),
    ).toHaveLength(2);
  });
});

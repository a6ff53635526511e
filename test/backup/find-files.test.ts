import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { directoryMark } from '../../src/backup/file-records.ts';
import { findFiles } from '../../src/backup/find-files.ts';
import { createContext, silentLogger } from '../../src/context.ts';
import { PermissionError } from '../../src/errors.ts';
import { bytesOf, toByteString } from '../../src/util/byte-string.ts';

const version = 'PG_18_202506291';
let folder: string;
let data: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'seawall-find-')));
  data = join(folder, 'data');
  for (const directory of [
    'base/5',
    'global',
    'pg_wal/archive_status',
    'pg_wal/summaries',
    'pg_tblspc',
    'pg_replslot',
  ]) {
    mkdirSync(join(data, directory), { recursive: true });
  }
  for (const file of [
    'PG_VERSION',
    'global/pg_control',
    'global/1262',
    'base/5/1259',
    'pg_wal/000000010000000000000001',
  ]) {
    writeFileSync(join(data, file), 'x');
  }
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function find(context = createContext()) {
  const found = await findFiles(data, { majorVersion: 18, versionDirectory: version }, context);
  const isDirectory = (index: number) => found.files.sizesBytes[index] === directoryMark;
  return { ...found, names: found.files.paths.map((path, index) => (isDirectory(index) ? `${path}/` : path)) };
}

const plain = [
  '/',
  'PG_VERSION',
  'base/',
  'base/5/',
  'base/5/1259',
  'global/',
  'global/1262',
  'pg_replslot/',
  'pg_tblspc/',
  'pg_wal/',
  'pg_wal/archive_status/',
  'pg_wal/summaries/',
];

describe('the walk of a cluster', () => {
  it('finds files and directories, each directory before what is in it, and not pg_control', async () => {
    expect((await find()).names).toEqual(plain);
  });

  it('leaves out what a backup does not need', async () => {
    mkdirSync(join(data, 'pg_replslot/slot'));
    for (const file of ['postmaster.pid', 'base/5/pg_internal.init', 'base/5/t3_16384', 'pg_replslot/slot/state']) {
      writeFileSync(join(data, file), 'x');
    }
    expect((await find()).names).toEqual(plain);
  });

  it('keeps of an unlogged relation only what it is reset to', async () => {
    for (const file of ['16384', '16384_fsm', '16384_init', '16385']) writeFileSync(join(data, 'base/5', file), 'x');
    const { names } = await find();
    expect(names.filter((name) => name.startsWith('base/5/16'))).toEqual(['base/5/16384_init', 'base/5/16385']);
  });

  it('takes a link to elsewhere in the place of pg_wal for the directory that it stands for', async () => {
    rmSync(join(data, 'pg_wal'), { recursive: true });
    mkdirSync(join(folder, 'wal/archive_status'), { recursive: true });
    writeFileSync(join(folder, 'wal/000000010000000000000001'), 'x');
    symlinkSync(join(folder, 'wal'), join(data, 'pg_wal'));
    expect((await find()).names).toEqual(plain.filter((name) => name !== 'pg_wal/summaries/'));
  });

  it('goes into each tablespace where it really lies, and only into the directory of this version', async () => {
    mkdirSync(join(folder, 'fast disk', version, '5'), { recursive: true });
    mkdirSync(join(folder, 'fast disk', 'PG_15_202209061'));
    writeFileSync(join(folder, 'fast disk', version, '5', '16390'), 'x');
    symlinkSync(join(folder, 'fast disk'), join(data, 'pg_tblspc/16385'));
    const { names, tablespaces } = await find();
    expect(tablespaces).toEqual([{ oid: '16385', location: join(folder, 'fast disk') }]);
    expect(names.filter((name) => name.startsWith('pg_tblspc/'))).toEqual([
      'pg_tblspc/',
      `pg_tblspc/16385/${version}/`,
      `pg_tblspc/16385/${version}/5/`,
      `pg_tblspc/16385/${version}/5/16390`,
    ]);
  });

  it('finds a tablespace in place as part of the data directory', async () => {
    mkdirSync(join(data, 'pg_tblspc/16386', version), { recursive: true });
    const { names, tablespaces } = await find();
    expect(tablespaces).toEqual([]);
    expect(names).toContain(`pg_tblspc/16386/${version}/`);
  });

  it('finds a tablespace that lies within the data directory once', async () => {
    mkdirSync(join(data, 'inside', version), { recursive: true });
    writeFileSync(join(data, 'inside', version, '16390'), 'x');
    symlinkSync(join(data, 'inside'), join(data, 'pg_tblspc/16385'));
    const { names } = await find();
    expect(names.filter((name) => name.includes(version))).toEqual([
      `pg_tblspc/16385/${version}/`,
      `pg_tblspc/16385/${version}/16390`,
    ]);
    expect(names.some((name) => name.startsWith('inside'))).toBe(false);
  });

  it('leaves out a tablespace whose link leads nowhere', async () => {
    symlinkSync(join(folder, 'gone'), join(data, 'pg_tblspc/16385'));
    expect((await find()).names).toEqual(plain);
  });

  it('leaves out other links and special files, with a warning for all but sockets', async () => {
    const warn = vi.fn();
    symlinkSync(join(data, 'base'), join(data, 'circle'));
    symlinkSync('/nowhere', join(data, 'server.crt'));
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(data, '.s.PGSQL.5432'), resolve));
    const { names } = await find(createContext({ log: { ...silentLogger, warn } }));
    socket.close();
    expect(names).toEqual(plain);
    expect(warn.mock.calls.map(([fields]) => fields.path)).toEqual(['circle', 'server.crt']);
  });

  it.each(['equals=sign', 'back\\slash', 'a space', 'ümläut', 'new\nline', 'not utf-8 \xff'])(
    'finds a file with a name like %j',
    async (text) => {
      const name = text.includes('\xff') ? text : toByteString(text);
      writeFileSync(Buffer.concat([Buffer.from(`${data}/`), bytesOf(name)]), 'x');
      expect((await find()).names).toContain(name);
    },
  );

  it('sums up the sizes of everything', async () => {
    const before = (await find()).catalogSizeBytes;
    writeFileSync(join(data, 'base/5/16384'), Buffer.alloc(8192));
    expect((await find()).catalogSizeBytes).toBe(before + 8192);
  });

  it('lists what may not be read, all of it, before anything is copied', async () => {
    mkdirSync(join(data, 'base/6'), { mode: 0o000 });
    chmodSync(join(data, 'base/5'), 0o000);
    chmodSync(folder, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    const finding = find();
    await expect(finding.finally(() => isRoot && process.seteuid?.(0))).rejects.toThrow(PermissionError);
    await expect(finding).rejects.toThrow(`cannot read in ${data}: base/5, base/6`);
    chmodSync(join(data, 'base/5'), 0o700);
  });

  it('stops at an abort', async () => {
    const signal = AbortSignal.abort(new Error('interrupted'));
    await expect(find(createContext({ signal }))).rejects.toThrow('interrupted');
  });
});

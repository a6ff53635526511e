import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext } from '../../src/context.ts';
import {
  IntegrityError,
  LocalFileError,
  NotFoundError,
  SeawallError,
  StoreError,
  UsageError,
} from '../../src/errors.ts';
import { parseRecoveryTarget } from '../../src/postgres/recovery-target.ts';
import { backupManifestKey, partsPrefix } from '../../src/repository/layout.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import type { RestoreOptions } from '../../src/restore/plan.ts';
import { prepareRestore, type RestoreResult, restoreBackup } from '../../src/restore/restore.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { faultyStore } from '../support/faulty-store.ts';
import {
  backupName,
  controlFileOf,
  controlMembers,
  dataMembers,
  labelMembers,
  labelText,
  manifestOf,
  storeBackup,
  type TarMember,
} from '../support/stored-backup.ts';

let folder: string;
let directory: string;
let store: ObjectStore;
let repository: Repository;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-restore-'));
  directory = join(folder, 'data');
  store = createMemoryStore();
  repository = createRepository(store, createCodec('zstd'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function restore(options: Partial<RestoreOptions> = {}, from: Repository = repository): Promise<RestoreResult> {
  return await restoreBackup(from, restoreOptions(options), createContext());
}

function restoreOptions(options: Partial<RestoreOptions> = {}): RestoreOptions {
  return {
    backup: 'LATEST',
    directory,
    target: parseRecoveryTarget({}),
    standby: false,
    restoreCommand: 'seawall wal-fetch "%f" "%p"',
    tablespaceMappings: [],
    jobs: 2,
    ...options,
  };
}

const read = (path: string): string => readFileSync(join(directory, path), 'utf8');
const withMembers = (...members: readonly TarMember[]): TarMember[] => [...dataMembers, ...members];

describe('restore', () => {
  it('lays down every file with its content, mode and time', async () => {
    const mtime = new Date('2026-01-02T03:04:05Z');
    const odd = { name: '/conf d/a=b\\ü', content: 'x', mode: 0o640, mtime };
    await storeBackup(repository, { parts: [dataMembers, [odd, { name: '/base/1/empty' }]], manifest: null });
    const result = await restore();
    expect(read('PG_VERSION')).toBe('18\n');
    expect(read('base/1/259')).toBe('page'.repeat(4096));
    expect(read('base/1/empty')).toBe('');
    const status = statSync(join(directory, 'conf d/a=b\\ü'));
    expect(status.mode & 0o777).toBe(0o640);
    expect(status.mtime).toEqual(mtime);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(result.sizeBytes).toBe(3 + 22 + 16_384 + 1);
  });

  it('makes the directories that a server needs, backup_label, recovery.signal and pg_control', async () => {
    await storeBackup(repository);
    await restore();
    for (const path of ['pg_wal/archive_status', 'pg_wal/summaries', 'pg_replslot', 'pg_tblspc', 'pg_notify']) {
      expect(statSync(join(directory, path)).isDirectory()).toBe(true);
    }
    expect(read('backup_label')).toBe(labelText);
    expect(read('recovery.signal')).toBe('');
    expect(readFileSync(join(directory, 'global/pg_control'))).toEqual(controlFileOf());
    expect(existsSync(join(directory, 'standby.signal'))).toBe(false);
    expect(readdirSync(directory).filter((name) => name.startsWith('seawall'))).toEqual([]);
  });

  it('writes the manifest beside the files', async () => {
    await storeBackup(repository);
    await restore();
    const stored = await store.get(backupManifestKey(backupName));
    expect(read('backup_manifest')).toBe(Buffer.concat(await Array.fromAsync(stored.body)).toString());
  });

  it('reads parts in any compression', async () => {
    const plain = createRepository(store, createCodec('none'));
    await storeBackup(plain);
    await restore();
    expect(read('PG_VERSION')).toBe('18\n');
  });

  it('leaves out what steered the old server', async () => {
    const stale = ['recovery.signal', 'standby.signal', 'postmaster.pid', 'postmaster.opts'];
    await storeBackup(repository, {
      parts: [withMembers(...stale.map((name) => ({ name: `/${name}`, content: 'old' })))],
    });
    await restore({ standby: true });
    expect(read('standby.signal')).toBe('');
    for (const name of ['recovery.signal', 'postmaster.pid', 'postmaster.opts']) {
      expect(existsSync(join(directory, name))).toBe(false);
    }
  });

  it('lets the group in where it could before', async () => {
    const [, ...rest] = dataMembers;
    await storeBackup(repository, { parts: [[{ name: '/', type: 'directory', mode: 0o755 }, ...rest]] });
    await restore();
    expect(statSync(directory).mode & 0o777).toBe(0o750);
    expect(statSync(join(directory, 'backup_label')).mode & 0o777).toBe(0o640);
  });

  it('reports progress up to the size of the backup', async () => {
    await storeBackup(repository);
    const seen: number[] = [];
    await restore({ onProgress: ({ bytesDone }) => seen.push(bytesDone) });
    expect(seen.at(-1)).toBe(3 + 22 + 16_384);
  });

  it('says what to run next', async () => {
    await storeBackup(repository);
    const { next } = await restore({ target: parseRecoveryTarget({ immediate: true }) });
    expect(next.join('\n')).toContain(`pg_ctl start -D ${directory}`);
    expect(next.join('\n')).toContain('select pg_wal_replay_resume()');
  });

  it('says so when the configuration files lie elsewhere', async () => {
    await storeBackup(repository, { parts: [dataMembers.filter(({ name }) => name !== '/postgresql.conf')] });
    const { next } = await restore();
    expect(next.join('\n')).toContain('put postgresql.conf and pg_hba.conf in place');
  });
});

describe('a backup that WAL-G took over the replication protocol', () => {
  const relative = (members: readonly TarMember[]) =>
    members.map((member) => ({ ...member, name: member.name.replace(/^\//, '') || './' }));

  it('has no part with backup_label, and pg_control twice', async () => {
    const everything = relative([...dataMembers, ...labelMembers, ...controlMembers]);
    await storeBackup(repository, { parts: [everything], label: null, manifest: null });
    await restore();
    expect(read('backup_label')).toBe(labelText);
  });

  it('is refused when the two are different', async () => {
    const other = { name: 'global/pg_control', content: controlFileOf(5n) };
    const everything = relative([...dataMembers, ...labelMembers, other]);
    await storeBackup(repository, { parts: [everything], label: null, manifest: null });
    await expect(restore()).rejects.toThrow('holds "global/pg_control" with other bytes than another part');
  });

  it('is refused without backup_label', async () => {
    await storeBackup(repository, { label: null, manifest: null });
    await expect(restore()).rejects.toThrow(`backup ${backupName} holds no backup_label`);
    expect(existsSync(directory)).toBe(false);
  });
});

describe('tablespaces', () => {
  const oid = '16384';
  const file = { name: `/pg_tblspc/${oid}/PG_18_202506291/5/16393`, content: 'rows' };

  async function storeWithTablespace(location: string): Promise<void> {
    await storeBackup(repository, {
      parts: [withMembers({ name: `/pg_tblspc/${oid}`, type: 'directory' }, file)],
      label: [
        { name: 'backup_label', content: labelText },
        { name: 'tablespace_map', content: `${oid} ${location}\n` },
      ],
      sentinel: { tablespaces: [{ oid, location }], basePrefix: '/var/lib/postgresql/18/main' },
    });
  }

  it('go back to their places, without a tablespace_map', async () => {
    const location = join(folder, 'ts');
    await storeWithTablespace(location);
    await restore();
    expect(readlinkSync(join(directory, 'pg_tblspc', oid))).toBe(location);
    expect(readFileSync(join(location, 'PG_18_202506291/5/16393'), 'utf8')).toBe('rows');
    expect(readdirSync(location)).toEqual(['PG_18_202506291']);
    expect(existsSync(join(directory, 'tablespace_map'))).toBe(false);
    expect(read('backup_manifest')).toContain('pg_tblspc/16384/PG_18_202506291/5/16393');
    expect(read('backup_manifest')).not.toContain('tablespace_map');
  });

  it('go elsewhere when told', async () => {
    await storeWithTablespace('/somewhere/else');
    const to = join(folder, 'new place');
    await restore({ tablespaceMappings: [{ from: '/somewhere/else', to }] });
    expect(readlinkSync(join(directory, 'pg_tblspc', oid))).toBe(to);
    expect(readFileSync(join(to, 'PG_18_202506291/5/16393'), 'utf8')).toBe('rows');
  });

  it('that are not empty are refused before anything is written', async () => {
    const location = join(folder, 'ts');
    mkdirSync(location);
    writeFileSync(join(location, 'treasure'), 'x');
    await storeWithTablespace(location);
    await expect(restore()).rejects.toThrow(
      `cannot restore: tablespace 16384 ${location} is not empty, it holds treasure`,
    );
    expect(existsSync(directory)).toBe(false);
  });

  it('are emptied again when the restore fails', async () => {
    const location = join(folder, 'ts');
    mkdirSync(location);
    await storeWithTablespace(location);
    await store.put(backupManifestKey(backupName), Buffer.from(manifestOf({ lost: 'x' })));
    await expect(restore()).rejects.toThrow(IntegrityError);
    expect(readdirSync(location)).toEqual([]);
    expect(existsSync(directory)).toBe(false);
  });

  it('that only tablespace_map knows are refused', async () => {
    await storeBackup(repository, {
      label: [
        { name: 'backup_label', content: labelText },
        { name: 'tablespace_map', content: '16385 /srv/ts\n' },
      ],
    });
    await expect(restore()).rejects.toThrow('has the tablespace 16385 in its tablespace_map, but not in its sentinel');
  });
});

describe('a destination', () => {
  it('that is empty is taken, and stays when the restore fails', async () => {
    mkdirSync(directory, { mode: 0o755 });
    await storeBackup(repository, { manifest: { missing: 'x' } });
    await expect(restore()).rejects.toThrow(IntegrityError);
    expect(readdirSync(directory)).toEqual([]);
    await storeBackup(repository);
    await restore();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('that is a link to an empty directory is taken', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), directory);
    await storeBackup(repository);
    const { plan } = await restore();
    expect(plan.directory).toBe(join(folder, 'real'));
    expect(existsSync(join(folder, 'real/global/pg_control'))).toBe(true);
  });

  it('that is not empty is refused', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'notes'), 'x');
    await storeBackup(repository);
    await expect(restore()).rejects.toThrow(LocalFileError);
    await expect(restore()).rejects.toThrow(`cannot restore: destination ${directory} is not empty, it holds notes`);
    expect(readdirSync(directory)).toEqual(['notes']);
  });

  it('that is a file is refused', async () => {
    writeFileSync(directory, 'x');
    await storeBackup(repository);
    await expect(restore()).rejects.toThrow(`cannot restore: destination ${directory} is not a directory`);
  });

  it('in which a server may be running is refused', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'postmaster.pid'), '4711\n');
    await storeBackup(repository);
    await expect(restore()).rejects.toThrow(`cannot restore: destination ${directory} is in use by a server`);
  });

  it('that another restore has begun to fill is refused', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'seawall-restore.unfinished'), '');
    await storeBackup(repository);
    await expect(restore()).rejects.toThrow('holds a restore that is running or did not finish');
  });

  it('is filled by one of two restores that begin at the same time', async () => {
    await storeBackup(repository);
    const outcomes = await Promise.allSettled([restore(), restore()]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(read('PG_VERSION')).toBe('18\n');
    expect(existsSync(join(directory, 'global/pg_control'))).toBe(true);
  });

  it('is not touched by a plan', async () => {
    await storeBackup(repository);
    const plan = await prepareRestore(repository, restoreOptions(), createContext());
    expect(plan.backup.name).toBe(backupName);
    expect(existsSync(directory)).toBe(false);
  });
});

describe('a backup that is not whole', () => {
  const part = `${partsPrefix(backupName)}part_001.tar.zst`;

  async function expectRefusal(message: string, options: Partial<RestoreOptions> = {}): Promise<void> {
    const refused = restore(options);
    await expect(refused).rejects.toThrow(IntegrityError);
    await expect(refused).rejects.toThrow(message);
    expect(existsSync(directory)).toBe(false);
  }

  it('is refused when a file has other bytes than the manifest says', async () => {
    await storeBackup(repository, { manifest: { PG_VERSION: '17\n' } });
    await expectRefusal(`memory://${part} holds "PG_VERSION" with other bytes than the backup manifest says`);
  });

  it('is refused when a file has another size', async () => {
    await storeBackup(repository, { manifest: { PG_VERSION: '18' } });
    await expectRefusal('holds "PG_VERSION" with 3 bytes instead of 2');
  });

  it('is refused when pg_control is not the one of the manifest', async () => {
    const everything = Object.fromEntries(
      [...dataMembers, ...labelMembers]
        .filter(({ content = '' }) => content !== '')
        .map(({ name, content = '' }) => [name.replace(/^\//, ''), content]),
    );
    await storeBackup(repository, { manifest: { ...everything, 'global/pg_control': controlFileOf(3n) } });
    await expectRefusal('holds "global/pg_control" with other bytes');
  });

  it('is refused when a file of the manifest is in no part', async () => {
    const lost = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [`base/1/${name}`, 'x']));
    await storeBackup(repository, { manifest: { ...allFiles(), ...lost } });
    await expectRefusal(
      'lists in its backup_manifest files that are in none of its parts: base/1/a, base/1/b, base/1/c, base/1/d, base/1/e and 2 others',
    );
  });

  it('is refused when a part holds a file that the manifest does not list', async () => {
    await storeBackup(repository, { parts: [withMembers({ name: '/evil.conf', content: 'x' })], manifest: allFiles() });
    await expectRefusal('holds "evil.conf", which the backup manifest does not list');
  });

  it('is refused when the manifest is damaged', async () => {
    await storeBackup(repository);
    await store.put(backupManifestKey(backupName), Buffer.from(manifestOf(allFiles()).replace('259', '258')));
    await expectRefusal(`cannot read memory://${backupManifestKey(backupName)}: backup manifest is damaged`);
  });

  it('is refused when a part is missing', async () => {
    await storeBackup(repository, { parts: [dataMembers, [{ name: '/base/1/2', content: 'x' }]] });
    await store.delete([part]);
    await expectRefusal(`memory://${partsPrefix(backupName)}part_001.tar, which belongs to the backup, is missing`);
  });

  it('is refused when the last part is missing', async () => {
    await storeBackup(repository, { parts: [dataMembers, [{ name: '/base/1/2', content: 'x' }]] });
    await store.delete([`${partsPrefix(backupName)}part_002.tar.zst`]);
    await expectRefusal(`the parts of backup ${backupName} have`);
  });

  it('is refused when pg_control.tar is missing', async () => {
    await storeBackup(repository, { control: null });
    await expectRefusal('pg_control.tar, which belongs to the backup, is missing');
  });

  it('is refused when pg_control is of another cluster', async () => {
    await storeBackup(repository, { control: [{ name: '/global/pg_control', content: controlFileOf(5n) }] });
    await expectRefusal('is of the cluster 5, the backup of 7710517932700386965');
  });

  it('is refused when backup_label is missing or of another backup', async () => {
    await storeBackup(repository, { label: [{ name: 'tablespace_map' }] });
    await expectRefusal(`backup ${backupName} holds no backup_label`);
    await storeBackup(repository, {
      label: [{ name: 'backup_label', content: labelText.replace('0/2000028', '0/3000028') }],
    });
    await expectRefusal('holds the backup_label of another one, which began at 0/3000028');
  });

  it('is refused when any byte of a part is lost or changed', { timeout: 60_000 }, async () => {
    await storeBackup(repository, { manifest: null });
    const whole = Buffer.concat(await Array.fromAsync((await store.get(part)).body));
    for (let offset = 0; offset < whole.byteLength; offset += 23) {
      const flipped = Buffer.from(whole);
      flipped[offset] = (flipped[offset] ?? 0) ^ 0x10;
      for (const damaged of [flipped, whole.subarray(0, offset)]) {
        await store.put(part, damaged);
        const outcome = await restore().catch((error: unknown) => error);
        if (outcome instanceof IntegrityError) expect(outcome.message).toContain(part);
        // A frame has a bit without a meaning.
        else expect(read('base/1/259')).toBe('page'.repeat(4096));
        expect(existsSync(directory)).toBe(!(outcome instanceof IntegrityError));
        rmSync(directory, { recursive: true, force: true });
      }
    }
  });

  it('is refused when it is a delta', async () => {
    const name = `base_000000010000000000000004_D_000000010000000000000002`;
    const full = await storeBackup(repository);
    const parent = { name: full, fullName: full, count: 1, startLsn: 0n as never };
    await storeBackup(repository, { name, sentinel: { parent } });
    await expect(restore({ backup: name })).rejects.toThrow(UsageError);
  });
});

describe('a hostile backup', () => {
  it.each<[string, TarMember]>([
    ['a name that leads out', { name: '../outside', content: 'x' }],
    ['an absolute name', { name: '//etc/passwd', content: 'x' }],
    ['a link out', { name: 'base/link', type: 'symlink', linkname: '/etc' }],
    ['a hard link', { name: 'base/1/link', type: 'link', linkname: 'PG_VERSION' }],
    ['a device', { name: 'base/1/zero', type: 'character-device' }],
    ['a file twice', { name: 'PG_VERSION', content: '18\n' }],
    ['a file in the place of a directory', { name: 'base', content: 'x' }],
    ['a directory in the place of a file', { name: 'PG_VERSION', type: 'directory' }],
    ['a file below a file', { name: 'PG_VERSION/x', content: 'x' }],
    ['the mark of the restore', { name: 'seawall-restore.unfinished', content: 'x' }],
  ])('with %s is refused, and nothing of it stays', async (_what, member) => {
    await storeBackup(repository, { parts: [withMembers(member)], manifest: null });
    const refused = restore();
    await expect(refused).rejects.toThrow(IntegrityError);
    await expect(refused).rejects.toThrow(/part_001\.tar|cannot create/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('with a link and a file behind it writes nothing there', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'seawall-outside-'));
    const members = [
      { name: 'base/out', type: 'symlink' as const, linkname: 'out' },
      { name: 'base/out/x', content: 'x' },
    ];
    await storeBackup(repository, { parts: [withMembers(...members)], manifest: null });
    await restore();
    expect(statSync(join(directory, 'base/out')).isDirectory()).toBe(true);
    expect(readdirSync(outside)).toEqual([]);
    rmSync(outside, { recursive: true });
  });

  it('that puts other files than PostgreSQL into a tablespace is refused', async () => {
    const location = join(folder, 'ts');
    await storeBackup(repository, {
      parts: [withMembers({ name: '/pg_tblspc/16384/authorized_keys', content: 'x' })],
      manifest: null,
      sentinel: { tablespaces: [{ oid: '16384', location }] },
    });
    await expect(restore()).rejects.toThrow('holds a name that does not lie in a data directory');
    expect(existsSync(location)).toBe(false);
  });
});

describe('a store that fails', () => {
  it('lets a second try succeed', async () => {
    await storeBackup(repository);
    const failing = createRepository(
      faultyStore(store, { kind: 'break', member: 'get', call: 6, after: 0 }),
      repository.codec,
    );
    await expect(restore({}, failing)).rejects.toThrow(StoreError);
    await restore({}, failing);
    expect(existsSync(join(directory, 'global/pg_control'))).toBe(true);
  });

  it('at any call leaves nothing behind', { timeout: 60_000 }, async () => {
    await storeBackup(repository, { parts: [dataMembers, [{ name: '/base/1/2', content: 'x' }]] });
    const counting = faultyStore(store);
    await restore({}, createRepository(counting, repository.codec));
    rmSync(directory, { recursive: true });
    expect(counting.calls.length).toBeGreaterThan(8);
    for (const [index, { member, key }] of counting.calls.entries()) {
      const call = index + 1;
      const faults = [
        { kind: 'fail' as const, call },
        { kind: 'break' as const, call, after: 0 },
      ];
      // What is only looked at, or is not there, has no body that could break.
      const hasBody = member === 'list' || (member === 'get' && !key.endsWith('metadata.json'));
      for (const fault of hasBody ? faults : faults.slice(0, 1)) {
        const failing = createRepository(faultyStore(store, fault), repository.codec);
        await expect(restore({}, failing)).rejects.toThrow(StoreError);
        expect(readdirSync(folder)).toEqual([]);
      }
    }
  });

  it('does not go on with the other parts', async () => {
    const parts = Array.from({ length: 12 }, (_, index) => [{ name: `/base/1/${index}`, content: 'x' }]);
    await storeBackup(repository, { parts, manifest: null });
    const failing = faultyStore(store, { kind: 'fail', member: 'get', call: 8 });
    await expect(restore({ jobs: 1 }, createRepository(failing, repository.codec))).rejects.toThrow(StoreError);
    expect(failing.calls.filter(({ member }) => member === 'get').length).toBe(8);
  });
});

describe('an abort', () => {
  it('at any time ends the restore with its reason and leaves nothing behind', { timeout: 60_000 }, async () => {
    await storeBackup(repository);
    const calls = faultyStore(store);
    await restore({}, createRepository(calls, repository.codec));
    rmSync(directory, { recursive: true });
    for (let call = 1; call <= calls.calls.length; call += 1) {
      const abort = new AbortController();
      const until = async () => abort.abort(new Error('stopped by the operator'));
      const aborting = createRepository(faultyStore(store, { kind: 'hold', call, until }), repository.codec);
      const context = createContext({ signal: abort.signal });
      await expect(restoreBackup(aborting, restoreOptions(), context)).rejects.toThrow('stopped by the operator');
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});

describe('a damaged backup', () => {
  it('does not keep another one from being restored', async () => {
    await storeBackup(repository);
    const other = 'base_000000010000000000000009';
    await store.put(`basebackups_005/${other}_backup_stop_sentinel.json`, Buffer.from('{'));
    await restore();
    await expect(restore({ backup: other, directory: join(folder, 'b') })).rejects.toThrow(IntegrityError);
    await expect(restore({ backup: 'base_000000010000000000000008', directory: join(folder, 'b') })).rejects.toThrow(
      NotFoundError,
    );
  });

  it('is named by errors that the command line knows', async () => {
    await storeBackup(repository, { control: null });
    await expect(restore()).rejects.toThrow(SeawallError);
  });
});

function allFiles(): Record<string, string | Buffer> {
  const members = [...dataMembers, ...controlMembers, ...labelMembers];
  const files = members.filter(({ content = '' }) => content !== '');
  return Object.fromEntries(files.map(({ name, content = '' }) => [name.replace(/^\//, ''), content]));
}

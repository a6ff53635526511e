import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { IntegrityError, NotFoundError } from '../../src/errors.ts';
import { parseRecoveryTarget } from '../../src/postgres/recovery-target.ts';
import { backupManifestKey } from '../../src/repository/layout.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { setUpRestoring } from '../support/restoring.ts';
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
  withMembers,
} from '../support/stored-backup.ts';

const restoring = setUpRestoring();

describe('restore', () => {
  it('lays down every file with its content, mode and time', async () => {
    const mtime = new Date('2026-01-02T03:04:05Z');
    const odd = { name: '/conf d/a=b\\ü', content: 'x', mode: 0o640, mtime };
    await storeBackup(restoring.repository, { parts: [dataMembers, [odd, { name: '/base/1/empty' }]], manifest: null });
    const result = await restoring.restore();
    expect(restoring.read('PG_VERSION')).toBe('18\n');
    expect(restoring.read('base/1/259')).toBe('page'.repeat(4096));
    expect(restoring.read('base/1/empty')).toBe('');
    const status = statSync(join(restoring.directory, 'conf d/a=b\\ü'));
    expect(status.mode & 0o777).toBe(0o640);
    expect(status.mtime).toEqual(mtime);
    expect(statSync(restoring.directory).mode & 0o777).toBe(0o700);
    expect(result.sizeBytes).toBe(3 + 22 + 16_384 + 1);
  });

  it('makes the directories that a server needs, backup_label, recovery.signal and pg_control', async () => {
    await storeBackup(restoring.repository);
    await restoring.restore();
    for (const path of ['pg_wal/archive_status', 'pg_wal/summaries', 'pg_replslot', 'pg_tblspc', 'pg_notify']) {
      expect(statSync(join(restoring.directory, path)).isDirectory()).toBe(true);
    }
    expect(restoring.read('backup_label')).toBe(labelText);
    expect(restoring.read('recovery.signal')).toBe('');
    expect(readFileSync(join(restoring.directory, 'global/pg_control'))).toEqual(controlFileOf());
    expect(existsSync(join(restoring.directory, 'standby.signal'))).toBe(false);
    expect(readdirSync(restoring.directory).filter((name) => name.startsWith('seawall'))).toEqual([]);
  });

  it('writes the manifest beside the files', async () => {
    await storeBackup(restoring.repository);
    await restoring.restore();
    const stored = await restoring.store.get(backupManifestKey(backupName));
    expect(restoring.read('backup_manifest')).toBe(Buffer.concat(await Array.fromAsync(stored.body)).toString());
  });

  it('reads parts in any compression', async () => {
    const plain = createRepository(restoring.store, createCodec('none'));
    await storeBackup(plain);
    await restoring.restore();
    expect(restoring.read('PG_VERSION')).toBe('18\n');
  });

  it('leaves out what steered the old server', async () => {
    const stale = ['recovery.signal', 'standby.signal', 'postmaster.pid', 'postmaster.opts'];
    await storeBackup(restoring.repository, {
      parts: [withMembers(...stale.map((name) => ({ name: `/${name}`, content: 'old' })))],
    });
    await restoring.restore({ standby: true });
    expect(restoring.read('standby.signal')).toBe('');
    for (const name of ['recovery.signal', 'postmaster.pid', 'postmaster.opts']) {
      expect(existsSync(join(restoring.directory, name))).toBe(false);
    }
  });

  it('lets the group in where it could before', async () => {
    const [, ...rest] = dataMembers;
    await storeBackup(restoring.repository, { parts: [[{ name: '/', type: 'directory', mode: 0o755 }, ...rest]] });
    await restoring.restore();
    expect(statSync(restoring.directory).mode & 0o777).toBe(0o750);
    expect(statSync(join(restoring.directory, 'backup_label')).mode & 0o777).toBe(0o640);
  });

  it('reports progress up to the size of the backup', async () => {
    await storeBackup(restoring.repository);
    const seen: number[] = [];
    await restoring.restore({ onProgress: ({ bytesDone }) => seen.push(bytesDone) });
    expect(seen.at(-1)).toBe(3 + 22 + 16_384);
  });

  it('says what to run next', async () => {
    await storeBackup(restoring.repository);
    const { next } = await restoring.restore({ target: parseRecoveryTarget({ immediate: true }) });
    expect(next.join('\n')).toContain(`pg_ctl start -D ${restoring.directory}`);
    expect(next.join('\n')).toContain('select pg_wal_replay_resume()');
  });

  it('says so when the configuration files lie elsewhere', async () => {
    await storeBackup(restoring.repository, { parts: [dataMembers.filter(({ name }) => name !== '/postgresql.conf')] });
    const { next } = await restoring.restore();
    expect(next.join('\n')).toContain('put postgresql.conf and pg_hba.conf in place');
  });
});

describe('a backup that WAL-G took over the replication protocol', () => {
  const relative = (members: readonly TarMember[]) =>
    members.map((member) => ({ ...member, name: member.name.replace(/^\//, '') || './' }));

  it('has no part with backup_label, pg_control twice, and tars without an end', async () => {
    const everything = relative([...dataMembers, ...labelMembers, ...controlMembers]);
    await storeBackup(restoring.repository, { parts: [everything], label: null, manifest: null, haveEndMarks: false });
    await restoring.restore();
    expect(restoring.read('backup_label')).toBe(labelText);
  });

  it('is refused when the two are different', async () => {
    const other = { name: 'global/pg_control', content: controlFileOf(5n) };
    const everything = relative([...dataMembers, ...labelMembers, other]);
    await storeBackup(restoring.repository, { parts: [everything], label: null, manifest: null });
    await expect(restoring.restore()).rejects.toThrow('holds "global/pg_control" with other bytes than another part');
  });

  it('is refused without backup_label', async () => {
    await storeBackup(restoring.repository, { label: null, manifest: null });
    await expect(restoring.restore()).rejects.toThrow(`backup ${backupName} holds no backup_label`);
    expect(existsSync(restoring.directory)).toBe(false);
  });
});

describe('tablespaces', () => {
  const oid = '16384';
  const file = { name: `/pg_tblspc/${oid}/PG_18_202506291/5/16393`, content: 'rows' };

  async function storeWithTablespace(location: string): Promise<void> {
    await storeBackup(restoring.repository, {
      parts: [withMembers({ name: `/pg_tblspc/${oid}`, type: 'directory' }, file)],
      label: [
        { name: 'backup_label', content: labelText },
        { name: 'tablespace_map', content: `${oid} ${location}\n` },
      ],
      sentinel: { tablespaces: [{ oid, location }], basePrefix: '/var/lib/postgresql/18/main' },
    });
  }

  it('go back to their places, without a tablespace_map', async () => {
    const location = join(restoring.folder, 'ts');
    await storeWithTablespace(location);
    await restoring.restore();
    expect(readlinkSync(join(restoring.directory, 'pg_tblspc', oid))).toBe(location);
    expect(readFileSync(join(location, 'PG_18_202506291/5/16393'), 'utf8')).toBe('rows');
    expect(readdirSync(location)).toEqual(['PG_18_202506291']);
    expect(existsSync(join(restoring.directory, 'tablespace_map'))).toBe(false);
    expect(restoring.read('backup_manifest')).toContain('pg_tblspc/16384/PG_18_202506291/5/16393');
    expect(restoring.read('backup_manifest')).not.toContain('tablespace_map');
  });

  it('go elsewhere when told', async () => {
    await storeWithTablespace('/somewhere/else');
    const to = join(restoring.folder, 'new place');
    await restoring.restore({ tablespaceMappings: [{ from: '/somewhere/else', to }] });
    expect(readlinkSync(join(restoring.directory, 'pg_tblspc', oid))).toBe(to);
    expect(readFileSync(join(to, 'PG_18_202506291/5/16393'), 'utf8')).toBe('rows');
  });

  it('that are not empty are refused before anything is written', async () => {
    const location = join(restoring.folder, 'ts');
    mkdirSync(location);
    writeFileSync(join(location, 'treasure'), 'x');
    await storeWithTablespace(location);
    await expect(restoring.restore()).rejects.toThrow(
      `cannot restore: tablespace 16384 ${location} is not empty, it holds treasure`,
    );
    expect(existsSync(restoring.directory)).toBe(false);
  });

  it('are emptied again when the restore fails', async () => {
    const location = join(restoring.folder, 'ts');
    mkdirSync(location);
    await storeWithTablespace(location);
    await restoring.store.put(backupManifestKey(backupName), Buffer.from(manifestOf({ lost: 'x' })));
    await expect(restoring.restore()).rejects.toThrow(IntegrityError);
    expect(readdirSync(location)).toEqual([]);
    expect(existsSync(restoring.directory)).toBe(false);
  });

  it('that only tablespace_map knows are refused', async () => {
    await storeBackup(restoring.repository, {
      label: [
        { name: 'backup_label', content: labelText },
        { name: 'tablespace_map', content: '16385 /srv/ts\n' },
      ],
    });
    await expect(restoring.restore()).rejects.toThrow(
      'has the tablespace 16385 in its tablespace_map, but not in its sentinel',
    );
  });
});

describe('a damaged backup', () => {
  it('does not keep another one from being restored', async () => {
    await storeBackup(restoring.repository);
    const other = 'base_000000010000000000000009';
    await restoring.store.put(`basebackups_005/${other}_backup_stop_sentinel.json`, Buffer.from('{'));
    await restoring.restore();
    await expect(restoring.restore({ backup: other, directory: join(restoring.folder, 'b') })).rejects.toThrow(
      IntegrityError,
    );
    await expect(
      restoring.restore({ backup: 'base_000000010000000000000008', directory: join(restoring.folder, 'b') }),
    ).rejects.toThrow(NotFoundError);
  });
});

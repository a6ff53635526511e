import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { setUpRestoring } from '../support/restoring.ts';
import { storeBackup, type TarMember, withMembers } from '../support/stored-backup.ts';

const restoring = setUpRestoring();

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
    await storeBackup(restoring.repository, { parts: [withMembers(member)], manifest: null });
    const refused = restoring.restore();
    await expect(refused).rejects.toThrow(IntegrityError);
    await expect(refused).rejects.toThrow(/part_001\.tar|cannot create/);
    expect(readdirSync(restoring.folder)).toEqual([]);
  });

  it('with a link and a file behind it writes nothing there', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'seawall-outside-'));
    const members = [
      { name: 'base/out', type: 'symlink' as const, linkname: 'out' },
      { name: 'base/out/x', content: 'x' },
    ];
    await storeBackup(restoring.repository, { parts: [withMembers(...members)], manifest: null });
    await restoring.restore();
    expect(statSync(join(restoring.directory, 'base/out')).isDirectory()).toBe(true);
    expect(readdirSync(outside)).toEqual([]);
    rmSync(outside, { recursive: true });
  });

  it('that puts other files than PostgreSQL into a tablespace is refused', async () => {
    const location = join(restoring.folder, 'ts');
    await storeBackup(restoring.repository, {
      parts: [withMembers({ name: '/pg_tblspc/16384/authorized_keys', content: 'x' })],
      manifest: null,
      sentinel: { tablespaces: [{ oid: '16384', location }] },
    });
    await expect(restoring.restore()).rejects.toThrow('holds a name that does not lie in a data directory');
    expect(existsSync(location)).toBe(false);
  });
});

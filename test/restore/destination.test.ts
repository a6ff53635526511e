import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createContext } from '../../src/context.ts';
import { IntegrityError, LocalFileError } from '../../src/errors.ts';
import { prepareRestore } from '../../src/restore/restore.ts';
import { setUpRestoring } from '../support/restoring.ts';
import { backupName, storeBackup } from '../support/stored-backup.ts';

const restoring = setUpRestoring();

describe('a destination', () => {
  it('that is empty is taken, and stays when the restore fails', async () => {
    mkdirSync(restoring.directory, { mode: 0o755 });
    await storeBackup(restoring.repository, { manifest: { missing: 'x' } });
    await expect(restoring.restore()).rejects.toThrow(IntegrityError);
    expect(readdirSync(restoring.directory)).toEqual([]);
    await storeBackup(restoring.repository);
    await restoring.restore();
    expect(statSync(restoring.directory).mode & 0o777).toBe(0o700);
  });

  it('that is a link to an empty directory is taken', async () => {
    mkdirSync(join(restoring.folder, 'real'));
    symlinkSync(join(restoring.folder, 'real'), restoring.directory);
    await storeBackup(restoring.repository);
    const { plan } = await restoring.restore();
    expect(plan.directory).toBe(join(restoring.folder, 'real'));
    expect(existsSync(join(restoring.folder, 'real/global/pg_control'))).toBe(true);
  });

  it('that is a link to nowhere is refused', async () => {
    symlinkSync(join(restoring.folder, 'nowhere'), restoring.directory);
    await storeBackup(restoring.repository);
    await expect(restoring.restore()).rejects.toThrow(`cannot restore into ${restoring.directory}`);
  });

  it('goes with the parents that were created for it when the restore fails', async () => {
    const directory = join(restoring.folder, 'a/b/c');
    await storeBackup(restoring.repository, { manifest: { missing: 'x' } });
    await expect(restoring.restore({ directory })).rejects.toThrow(IntegrityError);
    expect(readdirSync(restoring.folder)).toEqual([]);
    await storeBackup(restoring.repository);
    await restoring.restore({ directory });
    expect(existsSync(join(directory, 'global/pg_control'))).toBe(true);
  });

  it('that is not empty is refused', async () => {
    mkdirSync(restoring.directory);
    writeFileSync(join(restoring.directory, 'notes'), 'x');
    await storeBackup(restoring.repository);
    await expect(restoring.restore()).rejects.toThrow(LocalFileError);
    await expect(restoring.restore()).rejects.toThrow(
      `cannot restore: destination ${restoring.directory} is not empty, it holds notes`,
    );
    expect(readdirSync(restoring.directory)).toEqual(['notes']);
  });

  it('that is a file is refused', async () => {
    writeFileSync(restoring.directory, 'x');
    await storeBackup(restoring.repository);
    await expect(restoring.restore()).rejects.toThrow(
      `cannot restore: destination ${restoring.directory} is not a directory`,
    );
  });

  it('in which a server may be running is refused', async () => {
    mkdirSync(restoring.directory);
    writeFileSync(join(restoring.directory, 'postmaster.pid'), '4711\n');
    await storeBackup(restoring.repository);
    await expect(restoring.restore()).rejects.toThrow(
      `cannot restore: destination ${restoring.directory} is in use by a server`,
    );
  });

  it('that another restore has begun to fill is refused', async () => {
    mkdirSync(restoring.directory);
    writeFileSync(join(restoring.directory, 'seawall-restore.unfinished'), '');
    await storeBackup(restoring.repository);
    await expect(restoring.restore()).rejects.toThrow('holds a restore that is running or did not finish');
  });

  it('is filled by one of two restores that begin at the same time', async () => {
    await storeBackup(restoring.repository);
    const outcomes = await Promise.allSettled([restoring.restore(), restoring.restore()]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(restoring.read('PG_VERSION')).toBe('18\n');
    expect(existsSync(join(restoring.directory, 'global/pg_control'))).toBe(true);
  });

  it('is not touched by a plan', async () => {
    await storeBackup(restoring.repository);
    const plan = await prepareRestore(restoring.repository, restoring.options(), createContext());
    expect(plan.backup.name).toBe(backupName);
    expect(existsSync(restoring.directory)).toBe(false);
  });
});

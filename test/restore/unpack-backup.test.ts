import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext } from '../../src/context.ts';
import { IntegrityError, StoreError } from '../../src/errors.ts';
import { backupManifestKey, partsPrefix } from '../../src/repository/layout.ts';
import { createRepository } from '../../src/repository/repository.ts';
import type { RestoreOptions } from '../../src/restore/plan.ts';
import { restoreBackup } from '../../src/restore/restore.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { faultyStore } from '../support/faulty-store.ts';
import type { RestoreOutcome } from '../support/restore-process.ts';
import { setUpRestoring } from '../support/restoring.ts';
import { runCommand } from '../support/run-command.ts';
import {
  backupName,
  contentsOfSmallBackup,
  controlFileOf,
  dataMembers,
  labelText,
  manifestOf,
  storeBackup,
  withMembers,
} from '../support/stored-backup.ts';

const restoring = setUpRestoring();

describe('a backup that is not whole', () => {
  const part = `${partsPrefix(backupName)}part_001.tar.zst`;

  async function expectRefusal(message: string, options: Partial<RestoreOptions> = {}): Promise<void> {
    const refused = restoring.restore(options);
    await expect(refused).rejects.toThrow(IntegrityError);
    await expect(refused).rejects.toThrow(message);
    expect(existsSync(restoring.directory)).toBe(false);
  }

  it('is refused when a file has other bytes than the manifest says', async () => {
    await storeBackup(restoring.repository, { manifest: { PG_VERSION: '17\n' } });
    await expectRefusal(`memory://${part} holds "PG_VERSION" with other bytes than the backup manifest says`);
  });

  it('is refused when a file has another size', async () => {
    await storeBackup(restoring.repository, { manifest: { PG_VERSION: '18' } });
    await expectRefusal('holds "PG_VERSION" with 3 bytes instead of 2');
  });

  it('is refused when pg_control is not the one of the manifest', async () => {
    await storeBackup(restoring.repository, {
      manifest: { ...contentsOfSmallBackup(), 'global/pg_control': controlFileOf(3n) },
    });
    await expectRefusal('holds "global/pg_control" with other bytes');
  });

  it('is refused when a file of the manifest is in no part', async () => {
    const lost = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => [`base/1/${name}`, 'x']));
    await storeBackup(restoring.repository, { manifest: { ...contentsOfSmallBackup(), ...lost } });
    await expectRefusal(
      'lists in its backup_manifest files that are in none of its parts: base/1/a, base/1/b, base/1/c, base/1/d, base/1/e and 2 others',
    );
  });

  it('is refused when a part holds a file that the manifest does not list', async () => {
    await storeBackup(restoring.repository, {
      parts: [withMembers({ name: '/evil.conf', content: 'x' })],
      manifest: contentsOfSmallBackup(),
    });
    await expectRefusal('holds "evil.conf", which the backup manifest does not list');
  });

  it('is refused when the manifest is damaged', async () => {
    await storeBackup(restoring.repository);
    await restoring.store.put(
      backupManifestKey(backupName),
      Buffer.from(manifestOf(contentsOfSmallBackup()).replace('259', '258')),
    );
    await expectRefusal(`cannot read memory://${backupManifestKey(backupName)}: backup manifest is damaged`);
  });

  it('is refused when a part is missing', async () => {
    await storeBackup(restoring.repository, { parts: [dataMembers, [{ name: '/base/1/2', content: 'x' }]] });
    await restoring.store.delete([part]);
    await expectRefusal(`memory://${partsPrefix(backupName)}part_001.tar, which belongs to the backup, is missing`);
  });

  it('is refused when the last part is missing', async () => {
    await storeBackup(restoring.repository, { parts: [dataMembers, [{ name: '/base/1/2', content: 'x' }]] });
    await restoring.store.delete([`${partsPrefix(backupName)}part_002.tar.zst`]);
    await expectRefusal(`the parts of backup ${backupName} have`);
  });

  it('is refused when pg_control.tar is missing', async () => {
    await storeBackup(restoring.repository, { control: null });
    await expectRefusal('pg_control.tar, which belongs to the backup, is missing');
  });

  it('is refused when pg_control is of another cluster', async () => {
    await storeBackup(restoring.repository, { control: [{ name: '/global/pg_control', content: controlFileOf(5n) }] });
    await expectRefusal('is of the cluster 5, the backup of 7710517932700386965');
  });

  it('is refused when backup_label is missing or of another backup', async () => {
    await storeBackup(restoring.repository, { label: [{ name: 'tablespace_map' }] });
    await expectRefusal(`backup ${backupName} holds no backup_label`);
    await storeBackup(restoring.repository, {
      label: [{ name: 'backup_label', content: labelText.replace('0/2000028', '0/3000028') }],
    });
    await expectRefusal('holds the backup_label of another one, which began at 0/3000028');
  });

  it('is refused when any byte of a part is lost or changed', async () => {
    await storeBackup(restoring.repository, { manifest: null });
    const whole = Buffer.concat(await Array.fromAsync((await restoring.store.get(part)).body));
    for (let offset = 0; offset < whole.byteLength; offset += 23) {
      const flipped = Buffer.from(whole);
      flipped[offset] = (flipped[offset] ?? 0) ^ 0x10;
      for (const damaged of [flipped, whole.subarray(0, offset)]) {
        await restoring.store.put(part, damaged);
        const outcome = await restoring.restore().catch((error: unknown) => error);
        if (outcome instanceof IntegrityError) expect(outcome.message).toContain(part);
        // A frame has a bit without a meaning.
        else expect(restoring.read('base/1/259')).toBe('page'.repeat(4096));
        expect(existsSync(restoring.directory)).toBe(!(outcome instanceof IntegrityError));
        rmSync(restoring.directory, { recursive: true, force: true });
      }
    }
  });
});

describe('a store that fails', () => {
  it('lets a second try succeed', async () => {
    await storeBackup(restoring.repository);
    const failing = createRepository(
      faultyStore(restoring.store, { kind: 'break', member: 'get', call: 6, after: 0 }),
      restoring.repository.codec,
    );
    await expect(restoring.restore({}, failing)).rejects.toThrow(StoreError);
    await restoring.restore({}, failing);
    expect(existsSync(join(restoring.directory, 'global/pg_control'))).toBe(true);
  });

  it('at any call leaves nothing behind', async () => {
    await storeBackup(restoring.repository, { parts: [dataMembers, [{ name: '/base/1/2', content: 'x' }]] });
    const counting = faultyStore(restoring.store);
    await restoring.restore({}, createRepository(counting, restoring.repository.codec));
    rmSync(restoring.directory, { recursive: true });
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
        const failing = createRepository(faultyStore(restoring.store, fault), restoring.repository.codec);
        await expect(restoring.restore({}, failing)).rejects.toThrow(StoreError);
        expect(readdirSync(restoring.folder)).toEqual([]);
      }
    }
  });

  it('does not go on with the other parts', async () => {
    const parts = Array.from({ length: 12 }, (_, index) => [{ name: `/base/1/${index}`, content: 'x' }]);
    await storeBackup(restoring.repository, { parts, manifest: null });
    const failing = faultyStore(restoring.store, { kind: 'fail', member: 'get', call: 8 });
    await expect(restoring.restore({ jobs: 1 }, createRepository(failing, restoring.repository.codec))).rejects.toThrow(
      StoreError,
    );
    expect(failing.calls.filter(({ member }) => member === 'get').length).toBe(8);
  });
});

describe('an abort', () => {
  it('at any time ends the restore with its reason and leaves nothing behind', async () => {
    await storeBackup(restoring.repository);
    const calls = faultyStore(restoring.store);
    await restoring.restore({}, createRepository(calls, restoring.repository.codec));
    rmSync(restoring.directory, { recursive: true });
    for (let call = 1; call <= calls.calls.length; call += 1) {
      const abort = new AbortController();
      const until = async () => abort.abort(new Error('stopped by the operator'));
      const aborting = createRepository(
        faultyStore(restoring.store, { kind: 'hold', call, until }),
        restoring.repository.codec,
      );
      const context = createContext({ signal: abort.signal });
      await expect(restoreBackup(aborting, restoring.options(), context)).rejects.toThrow('stopped by the operator');
      expect(readdirSync(restoring.folder)).toEqual([]);
    }
  });
});

describe('a disk that is too small', () => {
  it('ends the restore with the way out, and gets its room back', async ({ skip }) => {
    const root = join(restoring.folder, 'repository');
    const disk = join(restoring.folder, 'disk');
    mkdirSync(root);
    mkdirSync(disk);
    // As a string of one letter it takes no room in the repository.
    const large = { name: '/base/1/16384', content: Buffer.alloc(3_000_000, 'x') };
    const repository = createRepository(createFilesystemStore(root), createCodec('zstd'));
    await storeBackup(repository, { parts: [withMembers(large)] });
    const script = fileURLToPath(new URL('../support/restore-process.ts', import.meta.url));
    const onSmallDisk = 'mount -t tmpfs -o size=2m tmpfs "$2" && exec "$0" "$1" run "$3" "$2/data"';
    const command = ['--mount', '--map-root-user', 'sh', '-c', onSmallDisk, process.execPath, script, disk, root];
    const { exitCode, stdout } = await runCommand('unshare', command, { env: { PATH: process.env['PATH'] ?? '' } });
    if (exitCode !== 0) return skip('this system lets nobody mount a file system of his own');
    const outcome = JSON.parse(stdout) as RestoreOutcome;
    expect(outcome.message).toBe(`cannot write ${disk}/data/base/1/16384`);
    expect(outcome.cause).toContain('no space left on device');
    expect(outcome.hint).toContain('Make room');
    expect(outcome.names).toEqual([]);
  });
});

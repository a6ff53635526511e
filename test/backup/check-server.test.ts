import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkServer, checkStart, findLocalCluster } from '../../src/backup/check-server.ts';
import { ConfigError, IntegrityError, LocalFileError, PostgresError, UsageError } from '../../src/errors.ts';
import { parseControlFile } from '../../src/postgres/control-file.ts';
import { toLsn } from '../../src/postgres/lsn.ts';
import type { ServerFacts } from '../../src/postgres/server-facts.ts';
import { controlFileOf } from '../support/stored-backup.ts';

const { systemIdentifier } = parseControlFile(controlFileOf());
const facts: ServerFacts = {
  versionNumber: 180_004,
  majorVersion: 18,
  systemIdentifier,
  timeline: 1,
  isInRecovery: false,
  dataDirectory: undefined,
  segmentSizeBytes: 16 * 1024 * 1024,
  blockSizeBytes: 8192,
  hasDataChecksums: true,
  archiveMode: 'on',
  archiver: 'seawall wal-push "%p"',
  walLevel: 'replica',
  hasFullPageWrites: true,
};
const { signal } = new AbortController();
let folder: string;
let data: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'seawall-check-')));
  data = join(folder, 'data');
  mkdirSync(join(data, 'global'), { recursive: true });
  writeFileSync(join(data, 'global/pg_control'), controlFileOf());
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the check of the server', () => {
  it('lets a primary that archives pass', () => {
    expect(() => checkServer(facts, 'file:///srv/wal')).not.toThrow();
  });

  it('refuses a standby', () => {
    expect(() => checkServer({ ...facts, isInRecovery: true }, 'x')).toThrow(PostgresError);
  });

  it('refuses pages of another size', () => {
    expect(() => checkServer({ ...facts, blockSizeBytes: 32_768 }, 'x')).toThrow(/pages of 32768 bytes/);
  });

  it('refuses a server that does not archive, before anything is copied', () => {
    const check = (differing: Partial<ServerFacts>) => () => checkServer({ ...facts, ...differing }, 'file:///srv/wal');
    expect(check({ archiveMode: 'off' })).toThrow(ConfigError);
    expect(check({ archiveMode: 'off' })).toThrow(/^archive_mode is off at the server.*file:\/\/\/srv\/wal$/);
    expect(check({ archiver: '' })).toThrow(/^archive_command is empty at the server/);
  });
});

describe('the data directory', () => {
  it('is what the server says, when none is given', async () => {
    const found = await findLocalCluster(undefined, { ...facts, dataDirectory: data }, signal);
    expect(found.dataDirectory).toBe(data);
    expect(found.controlFile.systemIdentifier).toBe(systemIdentifier);
  });

  it('may be given by another path that leads to it', async () => {
    symlinkSync(data, join(folder, 'link'));
    const found = await findLocalCluster(join(folder, 'link'), { ...facts, dataDirectory: `${data}/` }, signal);
    expect(found.dataDirectory).toBe(data);
  });

  it('is refused when it is not the one of this server', async () => {
    mkdirSync(join(folder, 'other'));
    const finding = findLocalCluster(join(folder, 'other'), { ...facts, dataDirectory: data }, signal);
    await expect(finding).rejects.toThrow(UsageError);
    await expect(finding).rejects.toThrow(`${folder}/other is not the data directory of the server, which is ${data}`);
  });

  it('is refused when it holds another cluster', async () => {
    const finding = findLocalCluster(data, { ...facts, systemIdentifier: 1n }, signal);
    await expect(finding).rejects.toThrow(IntegrityError);
  });

  it('must be named when the role may not ask the server for it', async () => {
    await expect(findLocalCluster(undefined, facts, signal)).rejects.toThrow(UsageError);
    expect((await findLocalCluster(data, facts, signal)).dataDirectory).toBe(data);
  });

  it('is refused when it does not exist, with its path', async () => {
    const finding = findLocalCluster(join(folder, 'nowhere'), facts, signal);
    await expect(finding).rejects.toThrow(LocalFileError);
    await expect(finding).rejects.toThrow(`cannot read the data directory ${folder}/nowhere`);
  });

  it('is refused when it has not seen the checkpoint with which the backup began', async () => {
    const cluster = await findLocalCluster(data, facts, signal);
    const start = { startLsn: toLsn(0n), timeline: 1, startedAt: new Date() };
    await expect(checkStart(cluster, start, signal)).resolves.toBeUndefined();
    await expect(checkStart(cluster, { ...start, startLsn: toLsn(0x200_0028n) }, signal)).rejects.toThrow(
      `${data} holds another cluster than the one that the server runs: its last checkpoint is at 0/0, the backup began at 0/2000028`,
    );
    await expect(checkStart(cluster, { ...start, timeline: 2 }, signal)).rejects.toThrow(IntegrityError);
  });
});

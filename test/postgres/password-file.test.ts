import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../src/context.ts';
import { findPassword, readPassword } from '../../src/postgres/password-file.ts';

const owner = { host: 'db1', port: 5432, database: 'postgres', user: 'backup' };

describe('password file', () => {
  it('gives the password of the first line that fits', () => {
    const text = `# db1:5432:postgres:backup:commented
db2:5432:postgres:backup:other host
db1:5433:postgres:backup:other port
db1:*:*:backup:first
db1:5432:postgres:backup:second
`;
    expect(findPassword(text, owner)).toBe('first');
    expect(findPassword(text, { ...owner, host: 'db2' })).toBe('other host');
    expect(findPassword(text, { ...owner, user: 'somebody' })).toBeUndefined();
  });

  it('may hold colons and backslashes behind a backslash', () => {
    const text = String.raw`fe80\:\:1:*:*:back\\up:se\:cr\\et`;
    expect(findPassword(text, { ...owner, host: 'fe80::1', user: 'back\\up' })).toBe('se:cr\\et');
  });

  it('has localhost for the usual socket directories', () => {
    const text = 'localhost:5432:*:*:local\n';
    expect(findPassword(text, { ...owner, host: '/var/run/postgresql' })).toBe('local');
    expect(findPassword(text, { ...owner, host: 'localhost' })).toBe('local');
    expect(findPassword(text, { ...owner, host: '/srv/sockets' })).toBeUndefined();
    expect(findPassword('/srv/sockets:*:*:*:there', { ...owner, host: '/srv/sockets' })).toBe('there');
  });

  it('may have Windows line ends, empty lines and lines that are none', () => {
    expect(findPassword('\r\nrubbish\r\na:b\r\n*:*:*:*:secret\r\n', owner)).toBe('secret');
  });
});

describe('reading the password file', () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seawall-pgpass-'));
    path = join(directory, '.pgpass');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('finds the password', async () => {
    await writeFile(path, '*:*:*:*:secret\n', { mode: 0o600 });
    expect(await readPassword(path, owner, silentLogger)).toBe('secret');
  });

  it('finds none where there is no file', async () => {
    expect(await readPassword(path, owner, silentLogger)).toBeUndefined();
  });

  it('leaves a file alone that others may read, and says so', async () => {
    await writeFile(path, '*:*:*:*:secret\n');
    await chmod(path, 0o640);
    const warnings: object[] = [];
    const log: Logger = { ...silentLogger, warn: (fields) => warnings.push(fields) };
    expect(await readPassword(path, owner, log)).toBeUndefined();
    expect(warnings).toEqual([{ path }]);
  });

  it('names a file that it cannot read', async () => {
    await writeFile(path, '');
    await expect(readPassword(join(path, 'below'), owner, silentLogger)).rejects.toThrow(
      `cannot read the password file ${path}/below`,
    );
  });

  it('uses no directory as a password file', async () => {
    expect(await readPassword(directory, owner, silentLogger)).toBeUndefined();
  });
});

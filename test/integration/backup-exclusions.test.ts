import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backupRules } from '../../src/postgres/backup-exclusions.ts';
import { readControlFile } from '../../src/postgres/control-file.ts';
import { tablespaceVersionDirectory } from '../../src/postgres/data-directory.ts';
import { readManifest } from '../../src/postgres/read-manifest.ts';
import { inChunks } from '../support/byte-streams.ts';
import { startCluster } from '../support/postgres.ts';
import { takeServerManifest } from '../support/server-manifest.ts';

describe.for([15, 18] as const)('the rules of a base backup on PostgreSQL %i', (major) => {
  it('choose the same files as the server itself', async () => {
    // What it writes between the two looks would differ.
    await using server = await startCluster({ major, settings: { autovacuum: false } });
    const { dataDirectory } = server;
    await server.query(`create tablespace elsewhere location '${server.makeDirectory('elsewhere')}'`);
    for (const place of ['pg_default', 'elsewhere']) {
      await server.query(`create table kept_in_${place} as select 1 as x`);
      await server.query(`alter table kept_in_${place} set tablespace ${place}`);
      await server.query(`create unlogged table unlogged_in_${place} (x int primary key) tablespace ${place}`);
      await server.query(`insert into unlogged_in_${place} values (1)`);
    }
    const session = await server.connect();
    await session.query('create temporary table mine as select generate_series(1, 1000) as x');
    for (const name of [
      'postgresql.auto.conf.tmp',
      'backup_label',
      'backup_manifest',
      'pgsql_tmp_x',
      'base/pgsql_tmp1.0',
    ]) {
      writeFileSync(join(dataDirectory, name), 'not for a backup');
    }
    writeFileSync(join(dataDirectory, 'backup_label.old'), 'for a backup');

    // Removes the files of tables that have moved.
    await server.query('checkpoint');
    const { catalogVersion } = await readControlFile(dataDirectory);
    const chosen = chooseFiles(dataDirectory, tablespaceVersionDirectory(major, catalogVersion));
    const expected: string[] = [];
    await readManifest(inChunks(await takeServerManifest(server)), (file) => expected.push(file.path));
    await session.end();

    expect(chosen.some((path) => path.startsWith('pg_tblspc/'))).toBe(true);
    // The server brings these two of its own.
    const own = new Set(['backup_label', 'tablespace_map']);
    expect(chosen.toSorted()).toEqual(expected.filter((path) => !own.has(path)).toSorted());
  });
});

/** Walks the data directory, and the tablespaces behind their links, by the rules. */
function chooseFiles(dataDirectory: string, versionDirectory: string): string[] {
  const files: string[] = [];
  const walk = (directory: string): void => {
    const location = join(dataDirectory, directory);
    const entries = readdirSync(location, { withFileTypes: true });
    const names = entries.map((entry) => entry.name);
    const ruleOf = backupRules(directory, names, versionDirectory);
    for (const entry of entries) {
      const isDirectory =
        entry.isDirectory() || (entry.isSymbolicLink() && readlinkSync(join(location, entry.name)) !== '');
      if (ruleOf(entry.name, isDirectory) !== 'copy') continue;
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (isDirectory) walk(path);
      else files.push(path);
    }
  };
  walk('');
  return files;
}

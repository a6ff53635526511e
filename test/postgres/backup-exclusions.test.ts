import { describe, expect, it } from 'vitest';
import { type BackupRule, backupRules, walSubdirectories } from '../../src/postgres/backup-exclusions.ts';

const versionDirectory = 'PG_18_202506291';

/** The rule for each name in a directory; a name that ends in a slash is that of a directory. */
function rules(directory: string, ...entries: readonly string[]): Record<string, BackupRule> {
  const names = entries.map((entry) => entry.replace(/\/$/, ''));
  const ruleOf = backupRules(directory, names, versionDirectory);
  return Object.fromEntries(entries.map((entry, index) => [entry, ruleOf(names[index] ?? '', entry.endsWith('/'))]));
}

function namesWith(rule: BackupRule, found: Record<string, BackupRule>): string[] {
  return Object.keys(found).filter((name) => found[name] === rule);
}

describe('backupRules', () => {
  it('keeps directories that must be there, without their content', () => {
    const directories = ['pg_wal/', 'pg_replslot/', 'pg_dynshmem/', 'pg_notify/', 'pg_serial/', 'pg_snapshots/'];
    const found = rules('', ...directories, 'pg_subtrans/', 'pg_stat_tmp/', 'log/', 'pg_log/', 'base/', 'pg_xact/');
    expect(namesWith('copy', found)).toEqual(['base/', 'pg_xact/']);
    expect(namesWith('skip', found)).toEqual([]);
  });

  it('copies what the restored cluster needs', () => {
    const directories = ['base/', 'global/', 'pg_stat/', 'pg_logical/', 'pg_multixact/', 'pg_twophase/', 'pg_tblspc/'];
    const files = ['PG_VERSION', 'postgresql.conf', 'postgresql.auto.conf', 'pg_hba.conf', 'current_logfiles'];
    const found = rules('', ...directories, ...files, 'conf.d/', 'backup_label.old');
    expect(namesWith('copy', found)).toEqual(Object.keys(found));
  });

  it('leaves out what belongs to the running server', () => {
    const found = rules(
      '',
      ...['postmaster.pid', 'postmaster.opts', 'postgresql.auto.conf.tmp', 'current_logfiles.tmp', '.DS_Store'],
      ...[
        'backup_label',
        'tablespace_map',
        'backup_manifest',
        'pgsql_tmp_something',
        'standby.signal',
        'recovery.signal',
      ],
    );
    expect(namesWith('skip', found)).toEqual(Object.keys(found));
  });

  it('leaves out temporary files and caches wherever they are', () => {
    const skipped = ['pgsql_tmp/', 'pgsql_tmp123.0', 'pg_internal.init', 'pg_internal.init.4711'];
    for (const directory of ['base', 'base/5', 'global', `pg_tblspc/16384/${versionDirectory}`]) {
      expect(namesWith('skip', rules(directory, ...skipped, '16384')), directory).toEqual(skipped);
    }
  });

  it('minds the names of top directories only at the top', () => {
    expect(namesWith('copy', rules('extension_data', 'log/', 'pg_wal/', 'standby.signal'))).toHaveLength(3);
    expect(rules('extension_data', 'pg_notify/')).toEqual({ 'pg_notify/': 'empty' });
  });

  it('leaves out temporary relations, in the directories of databases only', () => {
    const temporary = ['t3_16384', 't3_16384_fsm', 't12_16384_vm.2', 't3_16384.1', 't3_16384_init'];
    expect(namesWith('skip', rules('base/5', ...temporary, 't3', 'table_1', '16384'))).toEqual(temporary);
    const inTablespace = rules(`pg_tblspc/16400/${versionDirectory}/5`, ...temporary);
    expect(namesWith('skip', inTablespace)).toEqual(temporary);
    for (const directory of ['', 'global', 'base', 'base/5/deeper']) {
      expect(namesWith('copy', rules(directory, ...temporary)), directory).toEqual(temporary);
    }
  });

  it('copies only the init fork of an unlogged relation', () => {
    const found = rules(
      'base/5',
      '16400',
      '16400.1',
      '16400_fsm',
      '16400_vm',
      '16400_init',
      '164001',
      '16500',
      '16500_vm',
    );
    expect(namesWith('copy', found).toSorted()).toEqual(['164001', '16400_init', '16500', '16500_vm']);
    expect(namesWith('skip', rules('global', '16400', '16400_init'))).toEqual(['16400']);
    expect(namesWith('skip', rules('elsewhere', '16400', '16400_init'))).toEqual([]);
  });

  it('takes from a tablespace only what is of this version of PostgreSQL', () => {
    const found = rules('pg_tblspc/16384', 'PG_17_202406281/', `${versionDirectory}/`, 'lost+found/', 'notes.txt');
    expect(namesWith('copy', found)).toEqual([`${versionDirectory}/`]);
    expect(namesWith('copy', rules('pg_tblspc', '16384/', '16385/'))).toHaveLength(2);
  });
});

describe('walSubdirectories', () => {
  it('knows what a server expects in pg_wal', () => {
    expect(walSubdirectories(16)).toEqual(['pg_wal/archive_status']);
    expect(walSubdirectories(17)).toEqual(['pg_wal/archive_status', 'pg_wal/summaries']);
  });
});

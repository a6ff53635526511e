import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { parseEntryName, parseTablespacePath } from '../../src/restore/entry-path.ts';

describe('the name of a tar member', () => {
  it.each([
    ['/', ''],
    ['./', ''],
    ['.', ''],
    ['/base/1/259', 'base/1/259'],
    ['base/1/259', 'base/1/259'],
    ['./pg_wal/archive_status/', 'pg_wal/archive_status'],
    ['/base', 'base'],
    ['a=b\\c d/ü', 'a=b\\c d/ü'],
    ['...', '...'],
  ])('%j stands for %j', (name, path) => {
    expect(parseEntryName(name, 'part_001.tar')).toBe(path);
  });

  it.each([
    '..',
    '/..',
    '../etc/passwd',
    '/base/../../etc/passwd',
    'base/..',
    '//etc/passwd',
    './/etc/passwd',
    '/./base',
    'base//1',
    'base/./1',
    'base/1//',
    'a\0b',
    'pg_tblspc/16384/authorized_keys',
    'pg_tblspc/16384/.ssh/x',
    `a/${'b'.repeat(5000)}`,
  ])('%j is refused', (name) => {
    expect(() => parseEntryName(name, 'part_001.tar')).toThrow(IntegrityError);
    expect(() => parseEntryName(name, 'part_001.tar')).toThrow(
      'part_001.tar holds a name that does not lie in a data directory',
    );
  });

  it('never leads out of the data directory', () => {
    const parts = fc.array(fc.constantFrom('..', '.', '', 'base', '/', 'x\0', 'pg_tblspc'), { maxLength: 8 });
    fc.assert(
      fc.property(parts, (names) => {
        try {
          const path = parseEntryName(names.join('/'), 'part_001.tar');
          expect(path.split('/')).not.toContain('..');
          expect(path.startsWith('/')).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(IntegrityError);
        }
      }),
    );
  });
});

describe('a path in a tablespace', () => {
  it('is taken apart into the tablespace and the rest', () => {
    expect(parseTablespacePath('pg_tblspc/16384')).toEqual({ oid: '16384', rest: '' });
    expect(parseTablespacePath('pg_tblspc/16384/PG_18_1/5/16393')).toEqual({ oid: '16384', rest: 'PG_18_1/5/16393' });
  });

  it.each(['pg_tblspc', 'pg_tblspc/x/y', 'base/pg_tblspc/1/2', 'pg_tblspc/12x'])('%j lies in none', (path) => {
    expect(parseTablespacePath(path)).toBeUndefined();
  });
});

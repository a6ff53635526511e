import { describe, expect, it } from 'vitest';
import { IntegrityError, UsageError } from '../../src/errors.ts';
import { parseTablespaceMapping, planTablespaces } from '../../src/restore/plan-tablespaces.ts';
import { backupRecord } from '../support/backup-record.ts';

function backupWith(...locations: readonly string[]) {
  return backupRecord({
    name: 'base_000000010000000000000002',
    finishLsn: '0/2000100',
    tablespaces: locations.map((location, index) => ({ oid: String(16_384 + index), location })),
    basePrefix: '/old/data',
  });
}

describe('a tablespace mapping', () => {
  it.each([
    ['/srv/a=/srv/b', { from: '/srv/a', to: '/srv/b' }],
    ['/srv/a/=/srv//b/./c', { from: '/srv/a', to: '/srv/b/c' }],
    ['/srv/a\\=1=/srv/b\\=2', { from: '/srv/a=1', to: '/srv/b=2' }],
    ['/a b=/c d', { from: '/a b', to: '/c d' }],
  ])('%j is read', (text, mapping) => {
    expect(parseTablespaceMapping(text)).toEqual(mapping);
  });

  it.each(['', '/srv/a', '/a=/b=/c', 'a=/b', '/a=b', '/a='])('%j is refused', (text) => {
    expect(() => parseTablespaceMapping(text)).toThrow(UsageError);
  });
});

describe('tablespaces', () => {
  it('go to their own places, or where a mapping sends them', () => {
    const planned = planTablespaces(backupWith('/srv/a', '/srv/b/'), '/new/data', [{ from: '/srv/b', to: '/srv/c' }]);
    expect(planned).toEqual([
      { oid: '16384', originalLocation: '/srv/a', location: '/srv/a' },
      { oid: '16385', originalLocation: '/srv/b', location: '/srv/c' },
    ]);
  });

  it('that do not exist cannot be mapped', () => {
    expect(() => planTablespaces(backupWith('/srv/a'), '/new/data', [{ from: '/srv/b', to: '/srv/c' }])).toThrow(
      'no tablespace of base_000000010000000000000002 lies in /srv/b',
    );
  });

  it('cannot be mapped twice', () => {
    const mappings = [
      { from: '/srv/a', to: '/srv/b' },
      { from: '/srv/a', to: '/srv/c' },
    ];
    expect(() => planTablespaces(backupWith('/srv/a'), '/new/data', mappings)).toThrow(UsageError);
  });

  it.each([
    ['the same place', '/srv/b'],
    ['a place in another', '/srv/b/c'],
    ['a place around another', '/srv'],
    ['the destination', '/new/data'],
    ['a place in the destination', '/new/data/base'],
    ['a place around the destination', '/new'],
  ])('cannot go into %s', (_what, to) => {
    expect(() => planTablespaces(backupWith('/srv/a', '/srv/b'), '/new/data', [{ from: '/srv/a', to }])).toThrow(
      UsageError,
    );
  });

  it('that lay in the data directory return to the same place in it', () => {
    const inside = backupWith('/old/data/ts');
    expect(planTablespaces(inside, '/old/data', [])[0]?.location).toBe('/old/data/ts');
    const mapped = planTablespaces(inside, '/new/data', [{ from: '/old/data/ts', to: '/new/data/ts' }]);
    expect(mapped[0]?.location).toBe('/new/data/ts');
    expect(() => planTablespaces(inside, '/new/data', [{ from: '/old/data/ts', to: '/new/data/base' }])).toThrow(
      UsageError,
    );
  });

  it.each(['relative/path', '', '/srv/a\nb', '/srv/a\0'])('in %j are refused', (location) => {
    expect(() => planTablespaces(backupWith(location), '/new/data', [])).toThrow(IntegrityError);
  });
});

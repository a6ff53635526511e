import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { formatTablespaceMap, parseTablespaceMap } from '../../src/postgres/tablespace-map.ts';

describe('tablespace_map', () => {
  it('names the directory of each tablespace', () => {
    const map = Buffer.from('16384 /srv/ts one\n16385 /var/lib/postgresql/ts2\n');
    expect(parseTablespaceMap(map)).toEqual([
      { oid: '16384', location: '/srv/ts one' },
      { oid: '16385', location: '/var/lib/postgresql/ts2' },
    ]);
    expect(parseTablespaceMap(new Uint8Array())).toEqual([]);
  });

  it('escapes what would end the line', () => {
    const tablespaces = [{ oid: '16384', location: '/a\\b\nc\rd' }];
    expect(formatTablespaceMap(tablespaces).toString()).toBe('16384 /a\\\\b\\\nc\\\rd\n');
    expect(parseTablespaceMap(formatTablespaceMap(tablespaces))).toEqual(tablespaces);
  });

  it('accepts the ends of lines that the server accepts', () => {
    expect(parseTablespaceMap(Buffer.from('1 /a\r\n\n2 /b\r'))).toEqual([
      { oid: '1', location: '/a' },
      { oid: '2', location: '/b' },
    ]);
  });

  it('gives back what was written, whatever bytes the paths have', () => {
    const location = fc
      .uint8Array({ minLength: 1, maxLength: 30 })
      .map((bytes) => Buffer.from(bytes).toString('latin1'));
    const oid = fc.integer({ min: 1, max: 0xffff_ffff }).map(String);
    const property = fc.property(fc.array(fc.record({ oid, location })), (tablespaces) => {
      expect(parseTablespaceMap(formatTablespaceMap(tablespaces))).toEqual(tablespaces);
    });
    fc.assert(property);
  });

  it.for([
    ['a line that is cut off', '16384 /srv/ts'],
    ['a newline that is escaped at the end', '16384 /srv/ts\\\n'],
    ['a lone backslash at the end', '16384 /srv/ts\n\\'],
    ['no path', '16384\n'],
    ['no oid', '/srv/ts\n'],
    ['an oid that is no number', 'x16384 /srv/ts\n'],
  ])('is refused with %s', ([, content]) => {
    expect(() => parseTablespaceMap(Buffer.from(content ?? ''))).toThrow(IntegrityError);
  });
});

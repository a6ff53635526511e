import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { formatSentinel, parseSentinel } from '../../src/repository/sentinel.ts';

const folder = new URL('../fixtures/walg/zstd-deltas/repo/basebackups_005/', import.meta.url);
const fullName = 'base_000000010000000000000002';
const deltaName = 'base_000000010000000000000006_D_000000010000000000000004';

function fixture(name: string): Buffer {
  return readFileSync(new URL(`${name}_backup_stop_sentinel.json`, folder));
}

function parse(json: string) {
  return parseSentinel(Buffer.from(json), 'file:///srv/wal/sentinel');
}

describe('a sentinel', () => {
  it('of WAL-G is read with every field', () => {
    expect(parseSentinel(fixture(fullName), fullName)).toEqual({
      startLsn: 33_554_472n,
      finishLsn: 33_554_720n,
      pgVersion: 180_006,
      systemIdentifier: 7_710_517_932_700_386_965n,
      uncompressedSizeBytes: 24_604_730,
      compressedSizeBytes: 2_481_687,
      dataCatalogSizeBytes: 24_727_516,
      tablespaces: [{ oid: '16384', location: '/var/lib/postgresql/ts1' }],
      basePrefix: '/var/lib/postgresql/18/main',
      parent: undefined,
      filesMetadataDisabled: false,
      startedAt: new Date('2026-11-21T07:07:34.354Z'),
      finishedAt: new Date('2026-11-21T07:07:35.751Z'),
      hostname: 'db1',
      dataDirectory: '/var/lib/postgresql/18/main',
      isPermanent: false,
      userData: undefined,
    });
  });

  it('of a delta names its parent and the full backup', () => {
    expect(parseSentinel(fixture(deltaName), deltaName).parent).toEqual({
      name: 'base_000000010000000000000004_D_000000010000000000000002',
      fullName,
      count: 2,
      startLsn: 67_108_904n,
    });
  });

  it('is written with the keys, order and types that WAL-G writes', () => {
    for (const name of [fullName, deltaName]) {
      const theirs = fixture(name).toString();
      const ours = Buffer.from(formatSentinel(parseSentinel(fixture(name), name))).toString();
      // A Date has milliseconds where WAL-G writes microseconds.
      expect(ours).toBe(theirs.replaceAll(/(\.\d{3})\d*Z"/g, '$1Z"'));
    }
  });

  it('keeps 64-bit numbers exactly, up to the largest', () => {
    const largest = '18446744073709551615';
    const read = parse(`{"LSN":${largest},"FinishLSN":${largest},"PgVersion":180004,"SystemIdentifier":${largest}}`);
    expect(read.startLsn).toBe(2n ** 64n - 1n);
    expect(read.systemIdentifier).toBe(2n ** 64n - 1n);
    expect(Buffer.from(formatSentinel(read)).toString()).toContain(`"SystemIdentifier":${largest}`);
  });

  it('of WAL-G before version 2 is read without times and names', () => {
    const read = parse(
      '{"LSN":1,"FinishLSN":2,"PgVersion":90600,"spec":null,"DeltaFromLSN":null,"Files":{},"TarFileSets":{}}',
    );
    expect(read).toMatchObject({ startedAt: undefined, hostname: undefined, parent: undefined, tablespaces: [] });
  });

  it('carries user data of any shape unchanged', () => {
    const json = '{"LSN":1,"FinishLSN":2,"PgVersion":180004,"UserData":{"ticket":9007199254740993,"by":["me",null]}}';
    expect(Buffer.from(formatSentinel(parse(json))).toString()).toContain(
      '"UserData":{"ticket":9007199254740993,"by":["me",null]}',
    );
  });

  it.each([
    ['nothing', ''],
    ['half an object', '{"LSN":1,'],
    ['a missing field', '{"LSN":1,"PgVersion":180004}'],
    ['an LSN in quotes', '{"LSN":"1","FinishLSN":2,"PgVersion":180004}'],
    ['an LSN over 64 bits', '{"LSN":18446744073709551616,"FinishLSN":2,"PgVersion":180004}'],
    ['a fraction', '{"LSN":1.5,"FinishLSN":2,"PgVersion":180004}'],
    ['a delta without its full backup', '{"LSN":1,"FinishLSN":2,"PgVersion":180004,"DeltaFrom":"base_x"}'],
    ['a tablespace without a place', '{"LSN":1,"FinishLSN":2,"PgVersion":180004,"Spec":{"tablespaces":["16384"]}}'],
    [
      'a tablespace that is no number',
      '{"LSN":1,"FinishLSN":2,"PgVersion":1,"Spec":{"tablespaces":["../x"],"../x":{"loc":"/x","link":"y"}}}',
    ],
    ['a time that is none', '{"LSN":1,"FinishLSN":2,"PgVersion":180004,"StartTime":"yesterday"}'],
    ['a list', '[]'],
    ['brackets without end', '['.repeat(200_000)],
  ])('with %s is refused, and the message names the object', (_, json) => {
    expect(() => parse(json)).toThrow(IntegrityError);
    expect(() => parse(json)).toThrow(/^file:\/\/\/srv\/wal\/sentinel is /);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { formatBackupMetadata, parseBackupMetadata } from '../../src/repository/backup-metadata.ts';
import { parseSentinel } from '../../src/repository/sentinel.ts';

const folder = new URL('../fixtures/walg/zstd-deltas/repo/basebackups_005/', import.meta.url);
const name = 'base_000000010000000000000002';
const theirs = readFileSync(new URL(`${name}/metadata.json`, folder));

describe("a backup's metadata", () => {
  it('of WAL-G is read with every field', () => {
    expect(parseBackupMetadata(theirs, name)).toMatchObject({
      startLsn: 33_554_472n,
      finishLsn: 33_554_720n,
      isPermanent: false,
      systemIdentifier: 7_710_517_932_700_386_965n,
      uncompressedSizeBytes: 24_604_730,
      compressedSizeBytes: 2_481_687,
      dataDirectory: '/var/lib/postgresql/18/main',
    });
  });

  it('is written from the sentinel with the keys, order and types that WAL-G writes', () => {
    const sentinel = parseSentinel(readFileSync(new URL(`${name}_backup_stop_sentinel.json`, folder)), name);
    const ours = Buffer.from(formatBackupMetadata(sentinel)).toString();
    expect(ours).toBe(theirs.toString().replaceAll(/(\.\d{3})\d*Z"/g, '$1Z"'));
  });

  it('without its permanent flag is refused', () => {
    const json = theirs.toString().replace('"is_permanent":false,', '');
    expect(() => parseBackupMetadata(Buffer.from(json), 'metadata.json')).toThrow(IntegrityError);
  });
});

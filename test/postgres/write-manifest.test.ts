import { describe, expect, it } from 'vitest';
import { type ManifestFile, manifestHeader } from '../../src/postgres/backup-manifest.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { createManifestWriter } from '../../src/postgres/write-manifest.ts';
import { toByteString } from '../../src/util/byte-string.ts';

function manifest(majorVersion: number, files: readonly ManifestFile[]): string {
  let text = '';
  const writer = createManifestWriter(manifestHeader(majorVersion, 7_575_051_111_111_111_115n), (piece) => {
    text += piece;
  });
  for (const file of files) writer.addFile(file);
  writer.end([{ timeline: 1, startLsn: parseLsn('0/10000028'), endLsn: parseLsn('0/10000100') }]);
  return text;
}

const modifiedAt = new Date('2026-11-21T08:12:11.987Z');
const checksum = { algorithm: 'CRC32C', hex: '868f0d9b' } as const;

describe('createManifestWriter', () => {
  it('writes the version of PostgreSQL 13 to 16', () => {
    const files = [
      { path: 'backup_label', sizeBytes: 227, modifiedAt, checksum },
      { path: 'global/pg_control', sizeBytes: 8192, modifiedAt, checksum: undefined },
    ];
    expect(manifest(16, files).split('\n')).toEqual([
      '{ "PostgreSQL-Backup-Manifest-Version": 1,',
      '"Files": [',
      '{ "Path": "backup_label", "Size": 227, "Last-Modified": "2026-11-21 08:12:11 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "868f0d9b" },',
      '{ "Path": "global/pg_control", "Size": 8192, "Last-Modified": "2026-11-21 08:12:11 GMT" }',
      '],',
      '"WAL-Ranges": [',
      '{ "Timeline": 1, "Start-LSN": "0/10000028", "End-LSN": "0/10000100" }',
      '],',
      '"Manifest-Checksum": "f0d86fcc2dcfd020e6baf8c9d2b5cf337fc902bfec64e28cb91eafa62bace16e"}',
      '',
    ]);
  });

  it('writes the system identifier since PostgreSQL 17, digit by digit', () => {
    expect(manifest(17, []).split('\n').slice(0, 5)).toEqual([
      '{ "PostgreSQL-Backup-Manifest-Version": 2,',
      '"System-Identifier": 7575051111111111115,',
      '"Files": [',
      '],',
      '"WAL-Ranges": [',
    ]);
  });

  it('escapes a path as the server does, and encodes one that is not UTF-8', () => {
    const paths = [toByteString('ünï'), '"quoted\\back\ttab', 'bell\u0007', 'we ird\xffna"m\\e'];
    const lines = manifest(
      18,
      paths.map((path) => ({ path, sizeBytes: 0, modifiedAt, checksum: undefined })),
    ).split('\n');
    expect(lines.slice(3, 7).map((line) => line.slice(2, line.indexOf(', "Size"')))).toEqual([
      '"Path": "ünï"',
      '"Path": "\\"quoted\\\\back\\ttab"',
      '"Path": "bell\\u0007"',
      '"Encoded-Path": "776520697264ff6e61226d5c65"',
    ]);
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import type { ManifestFile, ManifestHeader, ManifestWalRange } from '../../src/postgres/backup-manifest.ts';
import { fileChecksumAlgorithms } from '../../src/postgres/file-checksum.ts';
import { parseLsn, toLsn } from '../../src/postgres/lsn.ts';
import { type ManifestSummary, readManifest } from '../../src/postgres/read-manifest.ts';
import { createManifestWriter } from '../../src/postgres/write-manifest.ts';
import { inChunks } from '../support/byte-streams.ts';

interface Manifest {
  readonly header: ManifestHeader;
  readonly files: readonly ManifestFile[];
  readonly walRanges: readonly ManifestWalRange[];
}

function write({ header, files, walRanges }: Manifest): Buffer {
  const pieces: string[] = [];
  const writer = createManifestWriter(header, (text) => pieces.push(text));
  for (const file of files) writer.addFile(file);
  writer.end(walRanges);
  return Buffer.from(pieces.join(''));
}

async function read(
  bytes: Uint8Array,
  chunkLength = 1000,
): Promise<{ files: ManifestFile[]; summary: ManifestSummary }> {
  const files: ManifestFile[] = [];
  const summary = await readManifest(inChunks(bytes, chunkLength), (file) => files.push(file));
  return { files, summary };
}

/** Lines with a checksum that fits. */
function sealed(...lines: readonly string[]): Buffer {
  const text = lines.map((line) => `${line}\n`).join('');
  return Buffer.from(`${text}"Manifest-Checksum": "${createHash('sha256').update(text).digest('hex')}"}\n`);
}

const head = '{ "PostgreSQL-Backup-Manifest-Version": 1,';

const example: Manifest = {
  header: { version: 2, systemIdentifier: 2n ** 64n - 1n },
  files: [
    {
      path: 'base/5/16384',
      sizeBytes: 8192,
      modifiedAt: new Date('2026-11-21T08:12:11Z'),
      checksum: { algorithm: 'CRC32C', hex: '868f0d9b' },
    },
  ],
  walRanges: [{ timeline: 3, startLsn: parseLsn('0/28'), endLsn: parseLsn('FFFFFFFF/FFFFFFFF') }],
};

describe('readManifest', () => {
  it('gives back what was written', async () => {
    const unsigned64 = fc.bigInt(0n, 2n ** 64n - 1n);
    const lsn = unsigned64.map(toLsn);
    const hex = fc.uint8Array({ minLength: 4, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
    const file = fc.record({
      path: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      sizeBytes: fc.nat(999_999).map((thousands) => thousands * 1_000_003),
      modifiedAt: fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }).map(toSecond),
      checksum: fc.option(fc.record({ algorithm: fc.constantFrom(...fileChecksumAlgorithms), hex }), {
        nil: undefined,
      }),
    });
    const header: fc.Arbitrary<ManifestHeader> = fc.oneof(
      fc.constant({ version: 1 as const }),
      unsigned64.map((systemIdentifier) => ({ version: 2 as const, systemIdentifier })),
    );
    const walRange = fc.record({ timeline: fc.integer({ min: 1, max: 0xffff_ffff }), startLsn: lsn, endLsn: lsn });
    const manifest = fc.record({ header, files: fc.array(file), walRanges: fc.array(walRange) });
    const property = fc.asyncProperty(manifest, fc.integer({ min: 1, max: 200 }), async (value, chunkLength) => {
      expect(await read(write(value), chunkLength)).toEqual({
        files: value.files,
        summary: { ...value.header, walRanges: value.walRanges },
      });
    });
    await fc.assert(property);
  });

  it('reads a path that was encoded without need', async () => {
    const line = '{ "Encoded-Path": "504756455253494f4e", "Size": 3, "Last-Modified": "2026-11-21 08:12:11 GMT" }';
    const { files } = await read(sealed(head, '"Files": [', line, '],'));
    expect(files.map((file) => file.path)).toEqual(['PGVERSION']);
  });

  it('refuses a manifest that is cut off at any byte', async () => {
    const bytes = write(example);
    for (let length = 0; length < bytes.length; length += 1) {
      await expect(read(bytes.subarray(0, length)), `${length} bytes`).rejects.toThrow(IntegrityError);
    }
  });

  it('refuses a manifest in which any byte has changed', async () => {
    const bytes = write(example);
    for (let offset = 0; offset < bytes.length; offset += 1) {
      const changed = Buffer.from(bytes);
      changed[offset] = (changed[offset] ?? 0) ^ 1;
      await expect(read(changed), `byte ${offset}`).rejects.toThrow(IntegrityError);
    }
  });

  const file = (fields: string): string => `{ "Path": "x", ${fields}"Last-Modified": "2026-11-21 08:12:11 GMT" }`;

  it.for([
    ['something that follows', `${write(example)}more\n`, 'something follows its checksum'],
    ['a line that no manifest has', sealed(head, '"Extra": 1,'), 'it has the line "\\"Extra'],
    ['version 3', sealed('{ "PostgreSQL-Backup-Manifest-Version": 3,'), 'its version is 3'],
    ['no version', sealed('"Files": ['), 'its version is missing'],
    [
      'version 2 and no system identifier',
      sealed('{ "PostgreSQL-Backup-Manifest-Version": 2,'),
      'no system identifier',
    ],
    ['a file without a size', sealed(head, file('')), 'it has the line'],
    ['a file of negative size', sealed(head, file('"Size": -1, ')), 'it has the line'],
    ['a size beyond 2^53', sealed(head, file('"Size": 9007199254740993, ')), 'it has the line'],
    ['a path that is no JSON', sealed(head, file('"Size": 1, ').replace('"x"', '"\\x"')), 'it has the line'],
    [
      'a path that is no hex',
      sealed(head, file('"Size": 1, ').replace('"Path": "x"', '"Encoded-Path": "xy"')),
      'the line',
    ],
    ['an impossible time', sealed(head, file('"Size": 1, ').replace('-11-', '-13-')), 'it has the line'],
    ['half a file', sealed(head, '{ "Path": "x", "Size"'), 'it has the line'],
    [
      'an unknown checksum',
      sealed(head, file('"Size": 1, ').replace(' }', ', "Checksum-Algorithm": "MD5", "Checksum": "00" }')),
      'line',
    ],
    [
      'a checksum without its algorithm',
      sealed(head, file('"Size": 1, ').replace(' }', ', "Checksum": "00" }')),
      'it has the line',
    ],
    [
      'a WAL range that is none',
      sealed(head, '{ "Timeline": 1, "Start-LSN": "x", "End-LSN": "0/0" }'),
      'it has the line',
    ],
  ] as const)('refuses a manifest with %s', async ([, content, message]) => {
    const outcome = read(Buffer.from(content));
    await expect(outcome).rejects.toThrow(IntegrityError);
    await expect(outcome).rejects.toThrow('backup manifest is damaged: ');
    await expect(outcome).rejects.toThrow(message);
  });
});

function toSecond(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 1000) * 1000);
}

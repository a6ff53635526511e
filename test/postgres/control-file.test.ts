import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IntegrityError, LocalFileError } from '../../src/errors.ts';
import { parseControlFile, readControlFile } from '../../src/postgres/control-file.ts';

/** A pg_control with a checksum that fits, where PostgreSQL of this control version keeps it. */
function makeControlFile(controlVersion: number, checksumOffset: number, state = 6): Buffer {
  const bytes = Buffer.alloc(8192);
  bytes.writeBigUInt64LE(7_710_531_705_933_671_451n, 0);
  bytes.writeUInt32LE(controlVersion, 8);
  bytes.writeUInt32LE(202_209_061, 12);
  bytes.writeUInt32LE(state, 16);
  bytes.writeBigInt64LE(1_795_248_000n, 24);
  bytes.writeBigUInt64LE(0x1511a88n, 32);
  bytes.writeBigUInt64LE(0x1511a50n, 40);
  bytes.writeUInt32LE(2, 48);
  for (const [index, limit] of [100, 8, 10, 3, 64].entries()) bytes.writeUInt32LE(limit, 180 + 4 * index);
  bytes.writeUInt32LE(8192, 216);
  bytes.writeUInt32LE(16 * 1024 * 1024, 228);
  bytes.writeUInt32LE(1, 252);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, checksumOffset)), checksumOffset);
  return bytes;
}

describe('control file', () => {
  it.each([
    [1300, 288],
    [1700, 288],
    [1800, 292],
  ])('of version %i is read', (controlVersion, checksumOffset) => {
    expect(parseControlFile(makeControlFile(controlVersion, checksumOffset))).toEqual({
      systemIdentifier: 7_710_531_705_933_671_451n,
      controlVersion,
      catalogVersion: 202_209_061,
      state: 'in production',
      modifiedAt: new Date(1_795_248_000_000),
      checkpointLsn: 0x1511a88n,
      redoLsn: 0x1511a50n,
      timeline: 2,
      segmentSizeBytes: 16 * 1024 * 1024,
      blockSizeBytes: 8192,
      hasDataChecksums: true,
      hotStandbyLimits: {
        max_connections: 100,
        max_worker_processes: 8,
        max_wal_senders: 10,
        max_prepared_transactions: 3,
        max_locks_per_transaction: 64,
      },
    });
  });

  it('may have a state that is not known', () => {
    expect(parseControlFile(makeControlFile(1300, 288, 99)).state).toBe('unknown');
  });

  it('is refused when one bit has flipped anywhere in it', () => {
    for (const offset of [0, 48, 130, 287, 288]) {
      const bytes = makeControlFile(1300, 288);
      bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
      expect(() => parseControlFile(bytes)).toThrow(/pg_control is damaged/);
    }
  });

  it('is refused when it is cut short or of an unknown PostgreSQL', () => {
    expect(() => parseControlFile(makeControlFile(1300, 288).subarray(0, 8000))).toThrow(/cut short: 8000 of 8192/);
    expect(() => parseControlFile(makeControlFile(9900, 292))).toThrow(/unknown version 9900/);
    expect(() => parseControlFile(new Uint8Array(8192))).toThrow(IntegrityError);
  });
});

describe('reading the control file', () => {
  let dataDirectory: string;
  let path: string;

  beforeEach(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'seawall-control-'));
    await mkdir(join(dataDirectory, 'global'));
    path = join(dataDirectory, 'global', 'pg_control');
  });

  afterEach(() => rm(dataDirectory, { recursive: true }));

  it('reads again while the server is writing it', async () => {
    const whole = makeControlFile(1800, 292);
    const torn = Buffer.from(whole);
    torn.fill(0xee, 100, 200);
    await writeFile(path, torn);
    const reading = readControlFile(dataDirectory);
    setTimeout(() => writeFileSync(path, whole), 25);
    expect((await reading).controlVersion).toBe(1800);
  });

  it('gives up on a damaged one', async () => {
    await writeFile(path, Buffer.alloc(8192, 1));
    await expect(readControlFile(dataDirectory)).rejects.toThrow(IntegrityError);
  });

  it('names the file that is not there', async () => {
    await expect(readControlFile(dataDirectory)).rejects.toThrow(LocalFileError);
    await expect(readControlFile(dataDirectory)).rejects.toThrow(`cannot read ${path}`);
  });

  it('stops when it is told to', async () => {
    await writeFile(path, Buffer.alloc(8192, 1));
    await expect(readControlFile(dataDirectory, AbortSignal.abort())).rejects.toThrow(/abort/);
  });
});

import { describe, expect, it } from 'vitest';
import { createFileRecords, type FileRecord } from '../../src/backup/file-records.ts';

const record: FileRecord = { sizeBytes: 0, modifiedNs: 1_795_244_854_022_060_827n, checksum: '', corruptBlocks: [] };

describe('the records of the files', () => {
  it('give back what was recorded, to the nanosecond', () => {
    const records = createFileRecords(2);
    records.set(1, { ...record, sizeBytes: 2 ** 40, checksum: 'd4ac2984', corruptBlocks: [7] });
    expect(records.get(0)).toBeUndefined();
    expect(records.get(1)).toEqual({ ...record, sizeBytes: 2 ** 40, checksum: 'd4ac2984', corruptBlocks: [7] });
  });

  it('know an empty file from one that is in no part', () => {
    const records = createFileRecords(1);
    records.set(0, record);
    expect(records.get(0)).toEqual(record);
  });

  it('forget what an earlier attempt recorded', () => {
    const records = createFileRecords(2);
    for (const index of [0, 1]) records.set(index, { ...record, corruptBlocks: [1, 2] });
    records.set(0, { ...record, checksum: 'again' });
    records.remove(1);
    expect(records.get(0)).toEqual({ ...record, checksum: 'again' });
    expect(records.get(1)).toBeUndefined();
  });
});

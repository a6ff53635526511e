import { describe, expect, it, vi } from 'vitest';
import { createFileRecords } from '../../src/backup/file-records.ts';
import { reportDamage } from '../../src/backup/report-damage.ts';
import { createContext, silentLogger } from '../../src/context.ts';
import { IntegrityError } from '../../src/errors.ts';

function packed(blocksByPath: Record<string, number[]>) {
  const paths = Object.keys(blocksByPath);
  const records = createFileRecords(paths.length);
  for (const [index, corruptBlocks] of Object.values(blocksByPath).entries()) {
    records.set(index, { sizeBytes: 8192, modifiedNs: 0n, checksum: '', corruptBlocks });
  }
  return { files: { paths, sizesBytes: paths.map(() => 8192) }, records, parts: [] };
}

const damaged = packed({ 'base/5/16384': [3, 7], 'base/5/16385': [], 'base/5/16386': [0] });

describe('the report of damaged pages', () => {
  it('warns of each file, with its blocks', () => {
    const warn = vi.fn();
    const context = createContext({ log: { ...silentLogger, warn } });
    expect(reportDamage(damaged, false, context)).toEqual([
      { path: 'base/5/16384', blocks: [3, 7] },
      { path: 'base/5/16386', blocks: [0] },
    ]);
    expect(warn.mock.calls).toEqual([
      [{ path: 'base/5/16384', blocks: [3, 7], blockCount: 2 }, 'damaged pages in the cluster'],
      [{ path: 'base/5/16386', blocks: [0], blockCount: 1 }, 'damaged pages in the cluster'],
    ]);
  });

  it('fails a strict backup, naming files and blocks', () => {
    const report = () => reportDamage(damaged, true, createContext());
    expect(report).toThrow(IntegrityError);
    expect(report).toThrow('the cluster has damaged pages: base/5/16384 (block 3, 7), base/5/16386 (block 0)');
  });

  it('says how many more there are when there are too many to list', () => {
    const blocks = Array.from({ length: 12 }, (_, block) => block);
    const report = () => reportDamage(packed({ 'base/5/16384': blocks }), true, createContext());
    expect(report).toThrow('base/5/16384 (block 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more)');
  });

  it('is silent about a sound cluster, strict or not', () => {
    expect(reportDamage(packed({ 'base/5/16384': [] }), true, createContext())).toEqual([]);
  });
});

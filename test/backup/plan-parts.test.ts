import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlannedPart, planParts } from '../../src/backup/plan-parts.ts';

const mebibyte = 1024 * 1024;

function found(sizesBytes: number[]) {
  return { paths: sizesBytes.map((_, index) => `base/1/${index}`), sizesBytes };
}

function bytesOf(part: PlannedPart | undefined, sizesBytes: number[]): number {
  return (part?.files ?? []).reduce((sum, index) => sum + Math.max(0, sizesBytes[index] ?? 0), 0);
}

describe('the plan of the parts', () => {
  it('puts every file into exactly one part, whatever the sizes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 200 * mebibyte }))),
        fc.integer({ min: 1, max: 100 * mebibyte }),
        fc.integer({ min: 1, max: 8 }),
        (sizes, partSizeBytes, jobs) => {
          const parts = planParts(found(sizes), { partSizeBytes, jobs });
          const all = parts.flatMap((part) => part.files);
          expect(all.toSorted((a, b) => a - b)).toEqual(sizes.map((_, index) => index));
          expect(parts.map((part) => part.number)).toEqual(parts.map((_, index) => index + 1));
        },
      ),
    );
  });

  it('closes a part as soon as it exceeds the part size, and never splits a file', () => {
    const sizes = [300, 10, 10, 10, 10].map((size) => size * mebibyte);
    const parts = planParts(found(sizes), { partSizeBytes: 25 * mebibyte, jobs: 1 });
    expect(parts.map((part) => bytesOf(part, sizes) / mebibyte)).toEqual([300, 30, 10]);
  });

  it('keeps all jobs busy when the cluster is smaller than a part each', () => {
    const sizes = new Array<number>(400).fill(mebibyte);
    const parts = planParts(found(sizes), { partSizeBytes: 1024 * mebibyte, jobs: 4 });
    expect(parts).toHaveLength(16);
  });

  it('does not cut a small cluster into crumbs', () => {
    const sizes = new Array<number>(40).fill(mebibyte);
    expect(planParts(found(sizes), { partSizeBytes: 1024 * mebibyte, jobs: 16 }).length).toBeLessThanOrEqual(3);
  });

  it('writes one part with one job', () => {
    const sizes = new Array<number>(400).fill(mebibyte);
    expect(planParts(found(sizes), { partSizeBytes: 1024 * mebibyte, jobs: 1 })).toHaveLength(1);
  });

  it('puts the directories into the first part, in their order', () => {
    const [first] = planParts(found([-1, 5 * mebibyte, -1, 9 * mebibyte]), { partSizeBytes: mebibyte, jobs: 2 });
    expect(first?.files.slice(0, 3)).toEqual([0, 2, 3]);
  });

  it('spreads many small files by their number', () => {
    const parts = planParts(found(new Array<number>(100_000).fill(0)), { partSizeBytes: 1024 * mebibyte, jobs: 2 });
    expect(parts).toHaveLength(8);
  });
});

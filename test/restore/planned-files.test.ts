import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { createPlannedFiles } from '../../src/restore/planned-files.ts';

function planned(
  files: Readonly<Record<string, number[]>>,
  { isFull = false, signal = new AbortController().signal } = {},
) {
  const left: string[] = [];
  const sources = new Map(Object.entries(files).map(([path, links]) => [path, { links }]));
  const options = { takeUnlisted: () => isFull, onUnlisted: (path: string) => void left.push(path), signal };
  return { expected: createPlannedFiles(sources, options), left };
}

const part = 'part_001.tar';

describe('the files of a plan', () => {
  it('are whole, pages, or the rest, by the backup from which they come', () => {
    const { expected } = planned({ a: [0], b: [0, 1], c: [1] });
    expect(expected.arrive('a', 0, part)).toMatchObject({ form: 'file' });
    expect(expected.arrive('b', 0, part)).toMatchObject({ form: 'increment' });
    expected.complete('b', 0);
    expect(expected.arrive('b', 1, part)).toMatchObject({ form: 'remainder' });
    expect(expected.arrive('c', 0, part)).toBeUndefined();
    expect(expected.arrive('c', 1, part)).toMatchObject({ form: 'file' });
    expect(expected.arrive('gone', 1, part)).toBeUndefined();
  });

  it('are missing until all of them has come', () => {
    const { expected } = planned({ a: [0], 'Ã¼': [0, 1] });
    expect(expected.missing()).toEqual(['a', 'ü']);
    expected.complete('a', 0);
    expected.complete('Ã¼', 0);
    expect(expected.missing()).toEqual(['ü']);
    expected.complete('Ã¼', 1);
    expect(expected.missing()).toEqual([]);
  });

  it('come once from each backup', () => {
    const { expected } = planned({ a: [0, 1] });
    expected.complete('a', 0);
    expect(() => expected.arrive('a', 0, part)).toThrow(IntegrityError);
    expect(() => expected.arrive('a', 0, part)).toThrow('part_001.tar holds "a", which has come before');
  });

  it('that are not listed are taken of a full backup, and left out of a delta', () => {
    expect(planned({}, { isFull: true }).expected.arrive('x', 0, part)).toMatchObject({ form: 'file' });
    const { expected, left } = planned({});
    expect(expected.arrive('x', 0, part)).toBeUndefined();
    expect(left).toEqual(['x']);
    expect(() => expected.arrive('\xff', 0, part)).toThrow('a name that is not UTF-8: ff in hex');
  });

  it('wait for what newer backups have of them', async () => {
    const { expected } = planned({ a: [0, 1, 2], b: [2] });
    const order: string[] = [];
    const arrive = async (link: number) => {
      await expected.arrive('a', link, part);
      order.push(`a of ${link}`);
      expected.complete('a', link);
    };
    const [oldest, middle] = [arrive(2), arrive(1)];
    expect(expected.arrive('b', 2, part)).toMatchObject({ form: 'file' });
    await Promise.resolve();
    expect(order).toEqual([]);
    await Promise.all([arrive(0), middle, oldest]);
    expect(order).toEqual(['a of 0', 'a of 1', 'a of 2']);
  });

  it('do not wait for what no part of a newer backup holds', async () => {
    const { expected } = planned({ a: [0, 1], b: [0, 1] });
    const waiting = expect(expected.arrive('a', 1, part)).rejects.toThrow('lists "a", but none of its parts holds it');
    expected.endLink(0);
    await waiting;
    await expect(expected.arrive('b', 1, part)).rejects.toThrow('lists "b", but none of its parts holds it');
  });

  it('do not wait when the restore is aborted', async () => {
    const abort = new AbortController();
    const { expected } = planned({ a: [0, 1] }, { signal: abort.signal });
    const waiting = expect(expected.arrive('a', 1, part)).rejects.toThrow('stopped');
    abort.abort(new Error('stopped'));
    await waiting;
  });
});

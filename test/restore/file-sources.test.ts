import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { createSourcePlanner, type FileSources } from '../../src/restore/file-sources.ts';

type Kind = 'whole' | 'pages' | 'unchanged';
/** What the list of one backup says of its files. */
type List = Readonly<Record<string, Kind>>;

const named = ['newest', 'middle', 'full', 'deeper'];

/** The newest list first; undefined for a full backup without one. */
function plan(...lists: readonly (List | undefined)[]): {
  sources: ReadonlyMap<string, FileSources>;
  counts: number[];
} {
  const planner = createSourcePlanner(named.slice(0, lists.length));
  const counts = lists.map((list) => {
    if (list === undefined) return planner.endWithoutList();
    for (const [path, kind] of Object.entries(list)) {
      planner.addFile(path, { isIncremented: kind === 'pages', isSkipped: kind === 'unchanged' });
    }
    return planner.endLink();
  });
  return { sources: planner.sources(), counts };
}

const linksOf = (...lists: readonly (List | undefined)[]) =>
  Object.fromEntries(Array.from(plan(...lists).sources, ([path, { links }]) => [path, links]));

describe('where the bytes of a file come from', () => {
  it('is told for each kind of history', () => {
    const newest: List = { new: 'whole', skipped: 'unchanged', deep: 'unchanged', pages: 'pages', mixed: 'pages' };
    const middle: List = { gone: 'whole', skipped: 'whole', deep: 'unchanged', pages: 'pages', mixed: 'unchanged' };
    const full: List = { old: 'whole', skipped: 'whole', deep: 'whole', pages: 'whole', mixed: 'whole' };
    expect(linksOf(newest, middle, full)).toEqual({
      new: [0],
      skipped: [1],
      deep: [2],
      pages: [0, 1, 2],
      mixed: [0, 2],
    });
  });

  it('counts the files that each backup gives', () => {
    const { counts } = plan(
      { a: 'pages', b: 'whole', c: 'unchanged' },
      { a: 'unchanged', c: 'pages' },
      { a: 'whole', c: 'whole' },
    );
    expect(counts).toEqual([2, 1, 2]);
  });

  it('may be a full backup without a list', () => {
    expect(linksOf({ a: 'pages', b: 'whole', c: 'unchanged' }, undefined)).toEqual({ a: [0, 1], b: [0], c: [1] });
  });

  it.each<[string, List[]]>([
    ['newest takes "a" from its parent middle, which does not hold it', [{ a: 'pages' }, {}, { a: 'whole' }]],
    [
      'middle takes "a" from its parent full, which does not hold it',
      [{ a: 'pages' }, { a: 'unchanged' }, { b: 'whole' }],
    ],
    [
      'middle takes "a" from its parent full, which does not hold it',
      [{ a: 'unchanged' }, { a: 'pages' }, { a: 'pages' }],
    ],
    ['newest is a full backup, but takes "a" from a parent', [{ a: 'unchanged' }]],
  ])('is refused when nobody has them: %s', (message, lists) => {
    expect(() => plan(...lists)).toThrow(IntegrityError);
    expect(() => plan(...lists)).toThrow(message);
  });

  it('is refused when a list has a file twice', () => {
    const planner = createSourcePlanner(['newest']);
    const file = { isIncremented: false, isSkipped: false };
    planner.addFile('a', file);
    expect(() => planner.addFile('a', file)).toThrow('newest lists "a" twice');
  });

  it('follows any history to the backup that holds the file whole', () => {
    const kinds = fc.constantFrom<Kind | undefined>('whole', 'pages', 'unchanged', undefined);
    const histories = fc.array(fc.tuple(kinds, kinds, kinds, fc.constant<Kind>('whole')), { maxLength: 20 });
    fc.assert(
      fc.property(histories, (files) => {
        const consistent = files.map((kindAt) => {
          // A delta takes nothing from a parent that does not have the file.
          return kindAt.map((kind, link) => (kindAt[link + 1] === undefined && kind !== undefined ? 'whole' : kind));
        });
        const lists = [0, 1, 2, 3].map((link) =>
          Object.fromEntries(
            consistent.flatMap((kindAt, index) => (kindAt[link] ? [[`f${index}`, kindAt[link]]] : [])),
          ),
        );
        const expected = consistent.flatMap((kindAt, index) => {
          if (kindAt[0] === undefined) return [];
          const bottom = kindAt.indexOf('whole');
          const links = [0, 1, 2, 3].filter((link) => link === bottom || (link < bottom && kindAt[link] === 'pages'));
          return [[`f${index}`, links]];
        });
        expect(linksOf(...lists)).toEqual(Object.fromEntries(expected));
      }),
    );
  });
});

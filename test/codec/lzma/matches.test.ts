import { describe, expect, it } from 'vitest';
import { createMatchFinder } from '../../../src/codec/lzma/matches.ts';

describe('createMatchFinder', () => {
  it('finds the longest of the earlier occurrences that it looks at', () => {
    const finder = createMatchFinder(1024, 300);
    finder.feed(Buffer.from('abcdef. abcdXY. abcdef!'));
    finder.pass(16);
    expect(finder.find()).toEqual({ length: 6, distance: 15 });
    expect(finder.lengthAt(7)).toBe(4);
    expect(String.fromCharCode(finder.byteAt(-1), finder.byteAt(0), finder.byteAt(1))).toBe('a .');
  });

  it('finds nothing shorter than four bytes, and nothing that is out of reach', () => {
    const finder = createMatchFinder(1024, 300);
    finder.feed(Buffer.from('abc abc abx'));
    finder.pass(8);
    expect(finder.find()).toBeUndefined();
    finder.pass(3);
    finder.feed(Buffer.from('unique'));
    finder.pass(6);
    for (let round = 0; round < 10; round += 1) {
      finder.feed(Buffer.alloc(100, round));
      finder.pass(100);
    }
    finder.feed(Buffer.from('unique'));
    expect(finder.find()).toBeUndefined();
  });

  it('goes on finding matches however long the stream is', () => {
    const reachBytes = 1024;
    const finder = createMatchFinder(reachBytes, 300);
    for (let round = 0; round < 4000; round += 1) {
      finder.feed(Buffer.from(`${round}:the same in every round`));
      if (round > 0) {
        finder.pass(String(round).length);
        const { length = 0, distance = 0 } = finder.find() ?? {};
        expect(length, `round ${round}`).toBe(':the same in every round'.length);
        expect(distance + 1, `round ${round}`).toBe(`${round}:the same in every round`.length);
      }
      finder.pass(finder.availableBytes());
    }
  });
});

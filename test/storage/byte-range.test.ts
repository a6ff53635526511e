import { describe, expect, it } from 'vitest';
import { StoreError, UsageError } from '../../src/errors.ts';
import { checkRange, resolveRange } from '../../src/storage/byte-range.ts';

describe('a range of bytes', () => {
  it('is refused when it is none', () => {
    for (const range of [
      { start: -1 },
      { start: 1.5 },
      { start: 3, end: 3 },
      { start: 3, end: 2 },
      { start: 0, end: 2 ** 53 },
    ]) {
      expect(() => checkRange(range), JSON.stringify(range)).toThrow(UsageError);
    }
    expect(() => checkRange({ start: 0, end: 1 })).not.toThrow();
    expect(() => checkRange({ start: 2 ** 40 })).not.toThrow();
  });

  it('ends with the object at the latest', () => {
    expect(resolveRange(undefined, 0, 'x')).toEqual({ start: 0, end: 0 });
    expect(resolveRange(undefined, 10, 'x')).toEqual({ start: 0, end: 10 });
    expect(resolveRange({ start: 3 }, 10, 'x')).toEqual({ start: 3, end: 10 });
    expect(resolveRange({ start: 3, end: 5 }, 10, 'x')).toEqual({ start: 3, end: 5 });
    expect(resolveRange({ start: 3, end: 50 }, 10, 'x')).toEqual({ start: 3, end: 10 });
  });

  it('must begin inside the object', () => {
    expect(() => resolveRange({ start: 10 }, 10, 'file x')).toThrow(StoreError);
    expect(() => resolveRange({ start: 0 }, 0, 'file x')).toThrow('cannot read file x from byte 0: it has 0 bytes');
  });
});

import { describe, expect, it } from 'vitest';
import { answerSize } from '../../../src/storage/drivers/answer-size.ts';

const measure = (contentLength?: number, contentRange?: string, range?: { start: number; end?: number }) =>
  answerSize({ contentLength, contentRange }, range, 'object from s3://bucket');

describe('answerSize', () => {
  it('reads the size of a whole object off its length', () => {
    expect(measure(100)).toEqual({ sizeBytes: 100, bodyBytes: 100 });
    expect(measure(0)).toEqual({ sizeBytes: 0, bodyBytes: 0 });
    expect(measure(100, undefined, { start: 0 })).toEqual({ sizeBytes: 100, bodyBytes: 100 });
  });

  it('reads the size of an object behind a range off the end of that', () => {
    expect(measure(10, 'bytes 5-14/100', { start: 5, end: 15 })).toEqual({ sizeBytes: 100, bodyBytes: 10 });
    expect(measure(5, 'bytes 95-99/100', { start: 95, end: 200 })).toEqual({ sizeBytes: 100, bodyBytes: 5 });
  });

  it.each([
    ['does not say its length', undefined, undefined, undefined, true],
    ['ignores the range', 100, undefined, { start: 5, end: 15 }, true],
    ['brings another range', 11, 'bytes 5-15/100', { start: 5, end: 15 }, true],
    ['has nothing where the range begins', 0, 'bytes */100', { start: 100 }, false],
  ] as const)('refuses an answer that %s', (_, contentLength, contentRange, range, retryable) => {
    expect(() => measure(contentLength, contentRange, range)).toThrow(
      expect.objectContaining({ code: 'STORE', retryable }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { formatJsonObject, parseJsonText } from '../../src/repository/json-object.ts';

describe('JSON of the repository', () => {
  it('keeps every digit of an integer', () => {
    const text = '{"lsn":18446744073709551615,"ratio":0.5}';
    expect(parseJsonText(text)).toEqual({ lsn: 18_446_744_073_709_551_615n, ratio: 0.5 });
    expect(Buffer.from(formatJsonObject(parseJsonText(text) as object)).toString()).toBe(text);
  });

  it('refuses a number that it could not write back', () => {
    for (const text of ['1e400', '{"ticket":[-1e309]}']) expect(() => parseJsonText(text)).toThrow(/too large/);
  });
});

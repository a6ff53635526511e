import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteLines } from '../../src/util/byte-lines.ts';
import { inChunks } from '../support/byte-streams.ts';

async function linesOf(text: string, ...lengths: number[]): Promise<string[]> {
  return (await Array.fromAsync(byteLines(inChunks(Buffer.from(text), ...lengths)))).map(String);
}

describe('byteLines', () => {
  it('cuts behind each newline and keeps what follows the last one', async () => {
    expect(await linesOf('one\n\nthree\r\nrest')).toEqual(['one\n', '\n', 'three\r\n', 'rest']);
    expect(await linesOf('one\n')).toEqual(['one\n']);
    expect(await linesOf('')).toEqual([]);
  });

  it('gives the same lines whatever the borders of the chunks', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'ü', '\n', '\r') });
    const property = fc.asyncProperty(text, fc.integer({ min: 1, max: 5 }), async (value, length) => {
      expect(await linesOf(value, length)).toEqual(await linesOf(value));
      expect((await linesOf(value, length)).join('')).toBe(Buffer.from(value).toString());
    });
    await fc.assert(property);
  });
});

import { describe, expect, it } from 'vitest';
import { formatBytes, parseBytes } from '../../src/util/bytes.ts';

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [16 * 1024 ** 2, '16.0 MiB'],
    [1024 ** 3 - 1, '1.0 GiB'],
    [1.5 * 1024 ** 4, '1.5 TiB'],
  ])('formats %d as %s', (sizeBytes, text) => {
    expect(formatBytes(sizeBytes)).toBe(text);
  });

  it.each([
    ['0', 0],
    ['1073741823', 1073741823],
    ['512B', 512],
    ['64MiB', 64 * 1024 ** 2],
    ['64 MB', 64 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['2kB', 2048],
  ])('reads %s as %d, in powers of 1024 as PostgreSQL does', (text, sizeBytes) => {
    expect(parseBytes(text)).toBe(sizeBytes);
  });

  it.each(['', 'x', '-1', '1.5', '1 XB', '9007199254740993', '1e3'])('refuses %j', (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });
});

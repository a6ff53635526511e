import { describe, expect, it } from 'vitest';
import { isTemporaryName, temporaryNameFor } from '../../src/util/temporary-name.ts';

describe('a temporary name', () => {
  it('has the shape of those of WAL-G', () => {
    const name = temporaryNameFor('/srv/wal/0001.zst', new Date('2026-01-31T23:59:58.765Z'));
    expect(name).toMatch(/^\/srv\/wal\/0001\.zst\.tmp\.20260131T235958Z-[0-9a-f]{16}$/);
  });

  it('is another one each time', () => {
    const names = Array.from({ length: 1000 }, () => temporaryNameFor('x'));
    expect(new Set(names).size).toBe(1000);
    expect(names.every(isTemporaryName)).toBe(true);
  });

  it('is told from the names of objects', () => {
    expect(isTemporaryName('000000010000000000000001.zst.tmp.20260131T235958Z-0123456789abcdef')).toBe(true);
    for (const name of [
      'x',
      'x.tmp',
      'x.tmp.1',
      'x.tmp.20260131T235958Z-0123',
      'x.tmp.20260131T235958Z-0123456789abcdef.zst',
    ]) {
      expect(isTemporaryName(name), name).toBe(false);
    }
  });
});

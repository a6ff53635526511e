import { describe, expect, it } from 'vitest';
import { progressLine } from '../../src/cli/progress.ts';

const mib = 1024 * 1024;

describe('progressLine', () => {
  it('says how much is done, how fast, and how long it will take', () => {
    expect(progressLine('backing up', { bytesDone: 100 * mib, bytesTotal: 400 * mib }, 2000)).toBe(
      'backing up: 100.0 MiB of 400.0 MiB, 25 %, 50.0 MiB/s, 6.0 s left',
    );
  });

  it('promises nothing before the first byte, and divides by no zero', () => {
    expect(progressLine('restoring', { bytesDone: 0, bytesTotal: 400 * mib }, 0)).toBe(
      'restoring: 0 B of 400.0 MiB, 0 %, 0 B/s',
    );
    expect(progressLine('restoring', { bytesDone: 0, bytesTotal: 0 }, 10)).toBe('restoring: 0 B of 0 B, 100 %, 0 B/s');
  });
});

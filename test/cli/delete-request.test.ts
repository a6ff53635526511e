import { describe, expect, it } from 'vitest';
import { readDeleteRequest } from '../../src/cli/delete-request.ts';
import { UsageError } from '../../src/errors.ts';

const backup = 'base_000000010000000000000002';
const read = (line: string, options: Record<string, unknown> = {}) =>
  readDeleteRequest({ args: line.split(' '), options });

describe('what follows delete', () => {
  it('is a backup or a time to keep from on', () => {
    expect(read(`before ${backup}`)).toEqual({
      kind: 'before',
      from: { name: backup },
      findFull: false,
      useSentinelTime: false,
    });
    expect(read('before FIND_FULL 2026-01-02T03:04:05Z', { useSentinelTime: true })).toEqual({
      kind: 'before',
      from: { time: new Date('2026-01-02T03:04:05Z') },
      findFull: true,
      useSentinelTime: true,
    });
  });

  it('is a number of backups to keep', () => {
    expect(read('retain FULL 7', { after: 'LATEST' })).toEqual({
      kind: 'retain',
      count: 7,
      modifier: 'FULL',
      after: { name: 'LATEST' },
      useSentinelTime: false,
    });
    expect(read('retain find_full 2')).toMatchObject({ modifier: 'FIND_FULL', after: undefined });
  });

  it('is one backup, by its name or its user data', () => {
    expect(read(`target FIND_FULL ${backup}`)).toEqual({ kind: 'target', backup: { name: backup }, findFull: true });
    expect(read('target', { targetUserData: '{"ticket": 7}' })).toEqual({
      kind: 'target',
      backup: { userData: { ticket: 7n } },
      findFull: false,
    });
  });

  it('is everything, or garbage', () => {
    expect(read('everything FORCE')).toEqual({ kind: 'everything', force: true });
    expect(read('garbage ARCHIVES', { withoutBackupCheck: true })).toEqual({
      kind: 'garbage',
      only: 'ARCHIVES',
      withoutBackups: true,
    });
  });

  it.each([
    '',
    'all',
    'before',
    'before FIND_FULL',
    'before yesterday',
    'before 2026-01-02T03:04:05',
    `before FULL ${backup}`,
    'retain',
    'retain 0',
    'retain -1',
    'retain 2.5',
    'retain FORCE 2',
    'target',
    `everything ${backup}`,
    'garbage ALL',
  ])('is refused: %s', (line) => {
    expect(() => read(line)).toThrow(UsageError);
  });

  it('is refused when a backup is named in two ways', () => {
    expect(() => read(`target ${backup}`, { targetUserData: '7' })).toThrow(UsageError);
  });
});

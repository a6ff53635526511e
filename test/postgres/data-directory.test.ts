import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { isDataDirectory, parsePgVersion, tablespaceVersionDirectory } from '../../src/postgres/data-directory.ts';

describe('isDataDirectory', () => {
  it('recognises a data directory by what every one has', () => {
    const names = ['PG_VERSION', 'base', 'global', 'pg_wal', 'postgresql.conf'];
    expect(isDataDirectory(names)).toBe(true);
    for (const missing of names.slice(0, 4)) {
      expect(isDataDirectory(names.filter((name) => name !== missing)), missing).toBe(false);
    }
    expect(isDataDirectory([])).toBe(false);
  });
});

describe('parsePgVersion', () => {
  it.for([
    ['18\n', 18],
    ['14', 14],
    ['9.6\n', 9],
  ] as const)('reads %j', ([text, major]) => {
    expect(parsePgVersion(text)).toBe(major);
  });

  it.for(['', 'x', '18\n\n', '18 ', '-1', '1234'])('refuses %j', (text) => {
    expect(() => parsePgVersion(text)).toThrow(IntegrityError);
  });
});

describe('tablespaceVersionDirectory', () => {
  it('is named after the major version and the catalogue', () => {
    expect(tablespaceVersionDirectory(18, 202506291)).toBe('PG_18_202506291');
  });
});

import { describe, expect, it } from 'vitest';
import {
  BusyError,
  ConfigError,
  IntegrityError,
  LocalFileError,
  NotFoundError,
  PermissionError,
  StoreError,
  UsageError,
} from '../../src/errors.ts';
import { judgeFailedFetch } from '../../src/wal/undecided.ts';

const policies = ['auto', 'abort', 'absent'] as const;
const failures = [
  new StoreError('reset', { retryable: true }),
  new PermissionError('denied'),
  new ConfigError('no bucket'),
  new IntegrityError('damaged'),
  new BusyError('too late'),
  new LocalFileError('disk full'),
  new Error('a bug'),
  'not even an error',
];

describe('judgeFailedFetch', () => {
  it('says absent of a proven absence, and of nothing else', () => {
    for (const policy of policies) {
      for (const isStandby of [true, false]) {
        expect(judgeFailedFetch(new NotFoundError('none'), { policy, isStandby })).toBe('absent');
        for (const failure of failures) expect(judgeFailedFetch(failure, { policy, isStandby })).not.toBe('absent');
      }
    }
  });

  it('stops recovery and lets a standby go on by streaming, unless told otherwise', () => {
    for (const failure of failures) {
      expect(judgeFailedFetch(failure, { policy: 'auto', isStandby: false })).toBe('undecided');
      expect(judgeFailedFetch(failure, { policy: 'auto', isStandby: true })).toBe('busy');
    }
  });

  it('follows the policies abort and absent on every server', () => {
    for (const isStandby of [true, false]) {
      for (const failure of failures) {
        expect(judgeFailedFetch(failure, { policy: 'abort', isStandby })).toBe('undecided');
        expect(judgeFailedFetch(failure, { policy: 'absent', isStandby })).toBe('busy');
      }
    }
  });

  it('stops for a wrong command line, whatever the policy', () => {
    for (const policy of policies) {
      expect(judgeFailedFetch(new UsageError('no WAL name'), { policy, isStandby: true })).toBe('undecided');
    }
  });
});

import { describe, expect, it } from 'vitest';
import { exitStatuses, exitStatusOf } from '../../src/cli/exit-codes.ts';
import {
  AlreadyExistsError,
  BusyError,
  ConfigError,
  IntegrityError,
  LocalFileError,
  NotFoundError,
  PermissionError,
  PostgresError,
  StoreError,
  UsageError,
} from '../../src/errors.ts';

describe('exit statuses', () => {
  it.each([
    [new UsageError('x'), 64],
    [new IntegrityError('x'), 65],
    [new AlreadyExistsError('x'), 65],
    [new StoreError('x', { retryable: true }), 69],
    [new PostgresError('x'), 69],
    [new TypeError('x'), 70],
    ['a thrown text', 70],
    [new LocalFileError('x'), 73],
    [new NotFoundError('x'), 74],
    [new BusyError('x'), 75],
    [new DOMException('x', 'AbortError'), 75],
    [new PermissionError('x'), 77],
    [new ConfigError('x'), 78],
    [new AggregateError([new PermissionError('x'), new UsageError('y')]), 77],
  ])('ends %s with its own status', (error, status) => {
    expect(exitStatusOf(error)).toBe(status);
  });

  it('keeps every status but wal-fetch’s "undecided" at or below 125, and never uses 1', () => {
    const numbers = Object.values(exitStatuses).map(({ status }) => status);
    expect(numbers.filter((status) => status > 125)).toEqual([200]);
    expect(numbers).not.toContain(1);
  });
});

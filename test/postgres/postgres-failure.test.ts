import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { PostgresError } from '../../src/errors.ts';
import { postgresFailure } from '../../src/postgres/postgres-failure.ts';

function answer(fields: Partial<DatabaseError>): DatabaseError {
  return Object.assign(new DatabaseError('permission denied for function pg_backup_start', 0, 'error'), fields);
}

describe('failure of PostgreSQL', () => {
  it('is told in the words of the server, with its detail', () => {
    const cause = answer({ code: '42501', detail: 'Only some may.' });
    const failure = postgresFailure('cannot start the backup', cause);
    expect(failure).toBeInstanceOf(PostgresError);
    expect(failure.message).toBe(
      'cannot start the backup: permission denied for function pg_backup_start (Only some may.)',
    );
    expect(failure.cause).toBe(cause);
    expect(failure.hint).toMatch(/^Connect as a superuser/);
  });

  it('has the hint of the server where that gives one', () => {
    expect(postgresFailure('cannot', answer({ code: '42501', hint: 'Ask the owner.' })).hint).toBe('Ask the owner.');
    expect(postgresFailure('cannot', answer({ code: 'XX000' })).hint).toBeUndefined();
  });

  it('names each address that was tried in vain', () => {
    const refused = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:5432`));
    const cause = Object.assign(new AggregateError(refused), { code: 'ECONNREFUSED' });
    const failure = postgresFailure('cannot connect', cause);
    expect(failure.message).toBe('cannot connect: connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127.0.0.1:5432');
    expect(failure.hint).toMatch(/^Set PGHOST and PGPORT/);
  });

  it('is told once', () => {
    const failure = new PostgresError('it wants a password');
    expect(postgresFailure('cannot connect', failure)).toBe(failure);
  });
});

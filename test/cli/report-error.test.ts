import { describe, expect, it } from 'vitest';
import { errorLines } from '../../src/cli/report-error.ts';
import { StoreError } from '../../src/errors.ts';

describe('errorLines', () => {
  it('says what failed, why, and what to do next', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:9', { cause: new Error('ECONNREFUSED') });
    const error = new StoreError('cannot read s3://b/k', { retryable: true, cause, hint: 'Check the endpoint.' });
    expect(errorLines(error)).toEqual([
      'seawall: error: cannot read s3://b/k',
      'seawall: cause: connect ECONNREFUSED 127.0.0.1:9',
      'seawall: hint: Check the endpoint.',
    ]);
  });

  it('does not repeat a cause whose words the message already holds', () => {
    const error = new StoreError('cannot read x: denied', { retryable: false, cause: new Error('denied') });
    expect(errorLines(error)).toEqual(['seawall: error: cannot read x: denied']);
  });

  it('passes over a cause that has no words', () => {
    const answer = new Error('checksum differs', { cause: { code: 400 } });
    const error = new StoreError('cannot store x', { cause: answer, retryable: false });
    expect(errorLines(error)).toEqual(['seawall: error: cannot store x', 'seawall: cause: checksum differs']);
  });

  it('puts a cause of several lines on one', () => {
    const error = new StoreError('cannot read x', { cause: new Error('[\n  {\n    "a": 1\n  }\n]'), retryable: false });
    expect(errorLines(error)).toEqual(['seawall: error: cannot read x', 'seawall: cause: [ { "a": 1 } ]']);
  });

  it('shows a bug with its stack', () => {
    expect(errorLines(new TypeError('oops')).join('\n')).toMatch(/this is a bug in seawall: TypeError: oops\n\s+at /);
  });

  it('reports every error of several', () => {
    expect(errorLines(new AggregateError([new Error('a'), new Error('b')]))).toHaveLength(2);
  });
});

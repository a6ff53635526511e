import { describe, expect, it } from 'vitest';
import { closest } from '../../src/util/closest.ts';

describe('closest', () => {
  const words = ['repository', 'jobs', 'partSize'];

  it('finds the word that a typing slip meant', () => {
    expect(closest('repositroy', words)).toBe('repository');
    expect(closest('JOB', words)).toBe('jobs');
    expect(closest('part_size', words)).toBe('partSize');
  });

  it('stays silent when nothing is near', () => {
    expect(closest('encryption', words)).toBeUndefined();
    expect(closest('', words)).toBeUndefined();
  });
});

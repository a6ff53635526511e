import { describe, expect, it } from 'vitest';
import { describeError, IntegrityError } from '../src/errors.ts';

describe('a message', () => {
  const endless = 'x'.repeat(10_000_000);

  it('is kept as it is while somebody may read it', () => {
    const message = 'x'.repeat(4_000);
    expect(new IntegrityError(message).message).toBe(message);
    expect(describeError(new Error(message))).toBe(message);
  });

  it('does not go on without end, whatever it quotes', () => {
    expect(new IntegrityError(endless).message).toMatch(/^x{4000}…$/);
    expect(describeError(new Error(endless))).toMatch(/^x{4000}…$/);
    expect(describeError(endless)).toMatch(/^x{4000}…$/);
  });
});

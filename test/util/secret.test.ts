import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/util/secret.ts';

const secret = new Secret('correct-horse');

describe('Secret', () => {
  it('shows itself only to whoever asks', () => {
    expect(secret.reveal()).toBe('correct-horse');
    expect(new Secret(Buffer.from('ab')).reveal()).toEqual(Buffer.from('ab'));
  });

  it('is hidden as text, in JSON and when inspected', () => {
    const shown = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ nested: { secret } }, { depth: 9, showHidden: true }),
      Object.values(secret).join(),
      inspect(new Error('no', { cause: secret })),
      inspect(new Secret(Buffer.from('correct-horse'))),
    ];
    for (const text of shown) expect(text).not.toMatch(/correct|horse|63 6f/);
    expect(String(secret)).toBe('[hidden]');
    expect(inspect(secret)).toBe('[hidden]');
  });
});

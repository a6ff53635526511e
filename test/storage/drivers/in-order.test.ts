import { describe, expect, it } from 'vitest';
import { inOrder } from '../../../src/storage/drivers/in-order.ts';
import type { ListOptions } from '../../../src/storage/object-store.ts';

async function listed(keys: readonly string[], options: ListOptions = {}): Promise<string[]> {
  async function* objects() {
    for (const key of keys) yield { key, sizeBytes: 1, modifiedAt: new Date(0) };
  }
  return (await Array.fromAsync(inOrder(objects(), options, 's3://bucket'))).map(({ key }) => key);
}

describe('inOrder', () => {
  it('hands on keys that ascend by their bytes', async () => {
    expect(await listed(['B', 'a-b', 'a/b', 'a\u{ffee}', 'a\u{1f40b}'])).toEqual([
      'B',
      'a-b',
      'a/b',
      'a\u{ffee}',
      'a\u{1f40b}',
    ]);
  });

  it('leaves out what lies up to and including startAfter', async () => {
    expect(await listed(['a', 'b', 'c'], { startAfter: 'b' })).toEqual(['c']);
    expect(await listed(['a', 'b', 'c'], { startAfter: '' })).toEqual(['a', 'b', 'c']);
  });

  it('ends in an error when the service has an order of its own', async () => {
    await expect(listed(['a/b', 'a-b'])).rejects.toMatchObject({ code: 'STORE', retryable: false });
    await expect(listed(['a', 'a'])).rejects.toThrow('a came behind a');
  });

  it('stops at an abort, also behind the last object', async () => {
    const signal = AbortSignal.abort(new Error('told to stop'));
    await expect(listed(['a'], { signal })).rejects.toThrow('told to stop');
    await expect(listed([], { signal })).rejects.toThrow('told to stop');
  });
});

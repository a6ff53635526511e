import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { abortable, orAbort } from '../../src/util/abortable.ts';

const reason = new Error('told to stop');

describe('an abortable stream', () => {
  it('gives what the source gives, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    const source = async function* () {
      yield* [1, 2, 3];
    };
    expect(await Array.fromAsync(abortable(source(), signal))).toEqual([1, 2, 3]);
    expect(await Array.fromAsync(abortable(source(), undefined))).toEqual([1, 2, 3]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends with the reason while the source hangs', async () => {
    const abort = new AbortController();
    const source = async function* () {
      yield 1;
      setTimeout(() => abort.abort(reason), 10);
      await new Promise(() => undefined);
    };
    await expect(Array.fromAsync(abortable(source(), abort.signal))).rejects.toBe(reason);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  it('lets the source clean up when the consumer leaves, and when it is aborted', async () => {
    for (const isAborted of [false, true]) {
      const abort = new AbortController();
      let isClean = false;
      const source = async function* () {
        try {
          yield 1;
          yield 2;
        } finally {
          isClean = true;
        }
      };
      const consume = async () => {
        for await (const _ of abortable(source(), abort.signal)) {
          if (isAborted) abort.abort(reason);
          else break;
        }
      };
      if (isAborted) await expect(consume()).rejects.toBe(reason);
      else await consume();
      expect(isClean).toBe(true);
    }
  });

  it('rejects with the very error of the source', async () => {
    const failure = new Error('broken');
    const source = async function* (): AsyncGenerator<number> {
      yield 1;
      throw failure;
    };
    await expect(Array.fromAsync(abortable(source(), new AbortController().signal))).rejects.toBe(failure);
  });
});

describe('orAbort', () => {
  it('does not begin the call when it is aborted already', async () => {
    let isCalled = false;
    const call = async () => {
      isCalled = true;
    };
    await expect(orAbort(call, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(isCalled).toBe(false);
  });

  it('answers what the call answers', async () => {
    expect(await orAbort(async () => 7, new AbortController().signal)).toBe(7);
    expect(await orAbort(async () => 7, undefined)).toBe(7);
  });
});

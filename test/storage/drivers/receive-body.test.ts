import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Reception, receiveBody } from '../../../src/storage/drivers/receive-body.ts';
import { joined } from '../../support/byte-streams.ts';

function receive(source: Readable, reception: Partial<Reception> = {}): AsyncIterable<Uint8Array> {
  return receiveBody(source, {
    sizeBytes: 6,
    idleTimeoutMs: 1000,
    action: 'read object from s3://bucket',
    ...reception,
  });
}

describe('receiveBody', () => {
  it('hands on exactly the bytes that were promised', async () => {
    expect((await joined(receive(Readable.from([Buffer.from('abc'), Buffer.from('def')])))).toString()).toBe('abcdef');
  });

  it.each([
    ['ends early', 7],
    ['brings more', 5],
  ])('throws when the source %s', async (_, sizeBytes) => {
    const body = receive(Readable.from([Buffer.from('abcdef')]), { sizeBytes });
    await expect(joined(body)).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
      message: `cannot read object from s3://bucket: it broke off after 6 of ${sizeBytes} bytes`,
    });
  });

  it('throws when the source breaks before anybody reads', async () => {
    const source = new Readable({ read: () => undefined });
    const body = receive(source);
    source.destroy(new Error('connection reset'));
    await new Promise(setImmediate);
    await expect(joined(body)).rejects.toMatchObject({ code: 'STORE', cause: { message: 'connection reset' } });
  });

  it('gives up a silent source, and does not count the time that the consumer takes', async () => {
    const silent = receive(new Readable({ read: () => undefined }), { idleTimeoutMs: 20 });
    await expect(joined(silent)).rejects.toMatchObject({
      retryable: true,
      cause: { message: expect.stringMatching(/no byte/) },
    });

    const slowConsumer = receive(Readable.from([Buffer.from('abc'), Buffer.from('def')]), { idleTimeoutMs: 20 });
    for await (const _ of slowConsumer) await new Promise((resolve) => setTimeout(resolve, 60));
  });

  it('lets go of the source when the consumer leaves, even before the first chunk', async () => {
    for (const readsFirst of [true, false]) {
      const source = new Readable({ read: () => undefined });
      source.push('abc');
      const chunks = receive(source)[Symbol.asyncIterator]();
      if (readsFirst) await chunks.next();
      await chunks.return?.();
      expect(source.destroyed).toBe(true);
    }
  });

  it('throws the reason of an abort', async () => {
    const abort = new AbortController();
    const source = new Readable({ read: () => undefined });
    const reading = joined(receive(source, { signal: abort.signal }));
    abort.abort(new Error('told to stop'));
    source.destroy(new Error('aborted'));
    await expect(reading).rejects.toThrow('told to stop');
  });

  it('lets a check of the whole object have the last word', async () => {
    let checked = '';
    const check = {
      update: (chunk: Uint8Array) => {
        checked += Buffer.from(chunk).toString();
      },
      end: () => {
        throw new Error(`${checked} is wrong`);
      },
    };
    await expect(joined(receive(Readable.from([Buffer.from('abcdef')]), { check }))).rejects.toThrow('abcdef is wrong');
  });
});

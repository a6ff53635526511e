import { describe, expect, it } from 'vitest';
import { transportFailure } from '../../../src/storage/drivers/transport-failure.ts';

const failing = (code: string) => Object.assign(new Error('it failed'), { code });

describe('transportFailure', () => {
  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EAI_AGAIN',
    'ENOTFOUND',
    'EHOSTUNREACH',
    'ERR_STREAM_PREMATURE_CLOSE',
  ])('takes %s for something that may pass', (code) => {
    expect(transportFailure(failing(code))).toMatchObject({ retryable: true });
  });

  it.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('takes %s for permanent, and speaks of certificates', (code) => {
    expect(transportFailure(failing(code))).toMatchObject({
      retryable: false,
      hint: expect.stringContaining('certificate'),
    });
  });

  it('suspects http where TLS meets something else', () => {
    expect(transportFailure(failing('EPROTO'))).toMatchObject({
      retryable: false,
      hint: expect.stringContaining('https or http'),
    });
  });

  it('looks into causes, and into the attempts at each address of a host', () => {
    const wrapped = new Error('fetch failed', { cause: new Error('outer', { cause: failing('ECONNRESET') }) });
    expect(transportFailure(wrapped)).toMatchObject({ retryable: true });
    expect(transportFailure(new AggregateError([failing('ECONNREFUSED')]))).toMatchObject({ retryable: true });
  });

  it('leaves what is no matter of the connection', () => {
    expect(transportFailure(new TypeError('a bug'))).toBeUndefined();
    expect(transportFailure(failing('ENOENT'))).toBeUndefined();
    expect(transportFailure('text')).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { createContext } from '../../../src/context.ts';
import { createGcsStore } from '../../../src/storage/drivers/gcs.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { kindOf } from '../../support/failure-kind.ts';
import { type ProxyFault, startFaultProxy } from '../../support/fault-proxy.ts';

function connect(apiEndpoint: string): ObjectStore {
  const retry = { initialDelayMs: 1, maximumDelayMs: 1, deadlineMs: 1 };
  return createGcsStore({ bucket: 'b', apiEndpoint, environment: {}, retry }, createContext());
}

function answer(status: number, error: unknown): ProxyFault {
  return { kind: 'answer', status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ error }) };
}

function apiError(status: number, reason: string, message = 'in the words of Google'): ProxyFault {
  return answer(status, { code: status, message, errors: [{ reason, message, domain: 'global' }] });
}

/** What `head` makes of one answer. */
async function failureOf(fault: ProxyFault): Promise<unknown> {
  await using proxy = await startFaultProxy('http://127.0.0.1:1');
  await using store = connect(proxy.url);
  proxy.inject({ fault });
  return await store.head('object').catch((error: unknown) => error);
}

describe('gcsFailure', () => {
  it.each([
    [apiError(404, 'notFound', 'No such object: b/object'), 'NOT_FOUND'],
    [apiError(404, 'notFound', 'The specified bucket does not exist.'), 'CONFIG'],
    [apiError(412, 'conditionNotMet'), 'ALREADY_EXISTS'],
    [apiError(401, 'authError'), 'PERMISSION'],
    [apiError(403, 'forbidden'), 'PERMISSION'],
    [apiError(403, 'rateLimitExceeded'), 'STORE, may pass'],
    [apiError(408, 'timeout'), 'STORE, may pass'],
    [apiError(409, 'conflict'), 'STORE, may pass'],
    [apiError(429, 'rateLimitExceeded'), 'STORE, may pass'],
    [apiError(503, 'backendError'), 'STORE, may pass'],
    [apiError(400, 'invalid'), 'STORE, permanent'],
    [answer(400, 'invalid_grant'), 'PERMISSION'],
    [{ kind: 'reset' } as const, 'STORE, may pass'],
  ])('makes of %j: %s', async (fault, kind) => {
    expect(kindOf(await failureOf(fault))).toBe(kind);
  });

  it('says what failed, with the words of Google as the cause', async () => {
    expect(await failureOf(apiError(403, 'forbidden'))).toMatchObject({
      message: 'cannot look up object in gs://b (403 forbidden)',
      hint: expect.stringMatching(/^[A-Z].*\.$/),
      cause: expect.objectContaining({ message: 'in the words of Google' }),
    });
  });

  it('keeps neither the token nor the body of a request in the error', async () => {
    await using proxy = await startFaultProxy('http://127.0.0.1:1');
    await using store = connect(proxy.url);
    proxy.inject({ fault: apiError(403, 'forbidden') });
    const error = await store.put('object', Buffer.from('the body')).catch((failure: Error) => failure);
    const { config } = (error as Error).cause as { config: object };
    expect(config).not.toHaveProperty('multipart');
    expect(config).not.toHaveProperty('body');
  });
});

describe('a GCS put', () => {
  it('removes what the service has stored otherwise than it was sent, in just this generation', async () => {
    await using proxy = await startFaultProxy('http://127.0.0.1:1');
    await using store = connect(proxy.url);
    const stored = { name: 'object', size: '8', crc32c: 'AAAAAA==', generation: '42' };
    const headers = { 'content-type': 'application/json' };
    proxy.inject({ method: 'POST', fault: { kind: 'answer', status: 200, headers, body: JSON.stringify(stored) } });
    proxy.inject({ method: 'DELETE', fault: { kind: 'answer', status: 204 } });
    await expect(store.put('object', Buffer.from('the body'))).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
    });
    expect(proxy.requests.at(-1)?.path).toContain('/o/object?ifGenerationMatch=42');
  });
});

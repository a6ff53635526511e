import { expect } from 'vitest';
import { createContext } from '../../src/context.ts';
import { createGcsStore } from '../../src/storage/drivers/gcs.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import type { ProxyFault } from '../support/fault-proxy.ts';
import { describeService } from '../support/services.ts';
import { describeFaults, type FaultyCloud, partSizeBytes, quickRetry, testWithFaults } from './cloud-faults.ts';

await describeService('gcs', 'the Google Cloud Storage store, on a bad day,', ({ apiEndpoint, projectId }) => {
  const cloud: FaultyCloud = {
    url: apiEndpoint,
    busy: gcsError(503, 'backendError', 'Backend Error'),
    requests: {
      put: { method: 'POST', path: /uploadType=multipart/ },
      secondPart: { method: 'PUT', path: /upload_id=/ },
      lastStep: { method: 'PUT', path: /upload_id=/ },
      get: { method: 'GET', path: /alt=media/ },
      head: { method: 'GET', path: /\/o\/[^?]*\?fields=name/ },
      list: { method: 'GET', path: /\/o\?prefix=/ },
      delete: { method: 'DELETE', path: /\/o\// },
    },
    async createBucket(name) {
      const response = await fetch(`${apiEndpoint}/storage/v1/b?project=${projectId}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      });
      if (!response.ok) throw new Error(`cannot create a bucket: ${await response.text()}`);
    },
    connect: (url, { bucket, idleTimeoutMs, retry = quickRetry }) =>
      createGcsStore(
        { bucket, apiEndpoint: url, environment: {}, retry, partSizeBytes, idleTimeoutMs },
        createContext(),
      ),
    leftovers: async () => [],
    repeatsParts: false,
  };
  const it = testWithFaults(cloud);
  describeFaults(cloud);

  it('cancels an upload that failed', async ({ space: { proxy, store } }) => {
    const broken = async function* () {
      yield* inChunks(walLikeBytes(3 * partSizeBytes), 1_000_000);
      throw new Error('the source is gone');
    };
    await expect(store.put('object', broken)).rejects.toThrow('the source is gone');
    expect(proxy.requests.at(-1)).toMatchObject({ method: 'DELETE', path: expect.stringContaining('upload_id=') });
  });

  it('throws at the end of a body whose checksum is wrong', async ({ space: { proxy, store } }) => {
    const headers = {
      'content-length': '9',
      'content-type': 'text/plain',
      'x-goog-hash': 'crc32c=AAAAAA==',
      'last-modified': new Date().toUTCString(),
    };
    proxy.inject({ ...cloud.requests.get, fault: { kind: 'answer', status: 200, headers, body: 'something' } });
    await expect(store.get('object').then(({ body }) => joined(body))).rejects.toMatchObject({
      code: 'STORE',
      retryable: true,
      message: expect.stringContaining('not those that are stored'),
    });
  });
});

function gcsError(status: number, reason: string, message: string): ProxyFault {
  const body = JSON.stringify({ error: { code: status, message, errors: [{ reason, message, domain: 'global' }] } });
  return { kind: 'answer', status, headers: { 'content-type': 'application/json' }, body };
}

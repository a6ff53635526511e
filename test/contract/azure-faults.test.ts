import { BlobServiceClient } from '@azure/storage-blob';
import { expect } from 'vitest';
import { createContext } from '../../src/context.ts';
import { createAzureBlobStore } from '../../src/storage/drivers/azure-blob.ts';
import { joined, walLikeBytes } from '../support/byte-streams.ts';
import type { ProxyFault } from '../support/fault-proxy.ts';
import { describeService } from '../support/services.ts';
import { describeFaults, type FaultyCloud, partSizeBytes, quickRetry, testWithFaults } from './cloud-faults.ts';

await describeService('azure', 'the Azure Blob store, on a bad day,', ({ connectionString, endpoint }) => {
  const { origin, pathname } = new URL(endpoint);
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const cloud: FaultyCloud = {
    url: origin,
    busy: azureError(503, 'ServerBusy', 'The server is busy.'),
    requests: {
      put: { method: 'PUT', path: /^[^?]*$/ },
      secondPart: { method: 'PUT', path: new RegExp(`comp=block&blockid=[^&]*${blockIdEnd(2)}`) },
      lastStep: { method: 'PUT', path: /comp=blocklist/ },
      get: { method: 'GET', path: /^[^?]*$/ },
      head: { method: 'HEAD', path: /./ },
      list: { method: 'GET', path: /comp=list/ },
      delete: { method: 'DELETE', path: /./ },
    },
    async createBucket(name) {
      await service.createContainer(name);
    },
    connect: (url, { bucket, idleTimeoutMs, retry = quickRetry }) =>
      createAzureBlobStore(
        {
          container: bucket,
          environment: { AZURE_STORAGE_CONNECTION_STRING: connectionString.replace(endpoint, url + pathname) },
          retry,
          partSizeBytes,
          idleTimeoutMs,
        },
        createContext(),
      ),
    leftovers: async () => [],
    repeatsParts: true,
  };
  const it = testWithFaults(cloud);
  describeFaults(cloud);

  it('begins anew when somebody else dropped its blocks', async ({ space: { proxy, store, patient } }) => {
    const bytes = walLikeBytes(2 * partSizeBytes);
    const dropped = azureError(400, 'InvalidBlockList', 'The specified block list is invalid.');
    proxy.inject({ ...cloud.requests.lastStep, fault: dropped });
    await expect(store.put('object', bytes)).rejects.toMatchObject({ code: 'STORE', retryable: true });
    proxy.inject({ ...cloud.requests.lastStep, fault: dropped });
    await patient.put('object', bytes);
    expect((await joined((await store.get('object')).body)).equals(bytes)).toBe(true);
  });

  it('says AlreadyExistsError when whoever dropped its blocks stored the blob', async ({ space: { proxy, store } }) => {
    await store.put('object', Buffer.from('theirs'));
    const dropped = azureError(400, 'InvalidBlockList', 'The specified block list is invalid.');
    proxy.inject({ ...cloud.requests.lastStep, fault: dropped });
    await expect(store.put('object', walLikeBytes(2 * partSizeBytes), { ifAbsent: true })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
  });
});

function azureError(status: number, code: string, message: string): ProxyFault {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { kind: 'answer', status, headers: { 'x-ms-error-code': code }, body };
}

/** How the id of a block ends in a URL, whatever upload it belongs to: the driver pads `<uuid>-<number>` to 64 characters. */
function blockIdEnd(number: number): string {
  const id = Buffer.from(`${'0'.repeat(36)}-${number}`.padEnd(64, '-')).toString('base64');
  return encodeURIComponent(id.slice(48)).replaceAll('%', '%');
}

import { BlobServiceClient } from '@azure/storage-blob';
import { createContext } from '../../src/context.ts';
import { type AzureBlobStoreOptions, createAzureBlobStore } from '../../src/storage/drivers/azure-blob.ts';
import { describeService } from '../support/services.ts';
import { describeObjectStore } from './object-store.ts';

const mebibyte = 1024 * 1024;
const partSizeBytes = 5 * mebibyte;

await describeService('azure', 'the Azure Blob store', ({ connectionString, accountKey }) => {
  const strangersKey = Buffer.from('not the one that they know').toString('base64');

  function connect(container: string, key = accountKey) {
    const options: AzureBlobStoreOptions = {
      container,
      environment: { AZURE_STORAGE_CONNECTION_STRING: connectionString.replace(accountKey, key) },
      retry: { initialDelayMs: 50, maximumDelayMs: 500, deadlineMs: 60_000 },
      partSizeBytes,
    };
    return createAzureBlobStore(options, createContext());
  }

  describeObjectStore({
    hasMissingPlaces: true,
    refusesStrangers: true,
    // Azurite sorts by UTF-16 units.
    ordersAllPlanes: false,
    memoryBoundBytes: 48 * mebibyte,
    async open(container) {
      const service = BlobServiceClient.fromConnectionString(connectionString);
      await service.createContainer(container);
      const stores = {
        store: connect(container),
        otherHost: connect(container),
        missing: connect(`${container}-missing`),
        denied: connect(container, strangersKey),
      };
      return {
        ...stores,
        secrets: [accountKey, strangersKey],
        partSizeBytes,
        wholeBodyBytes: partSizeBytes,
        // The service gives no way to remove uncommitted blocks; it drops them after a week.
        leftovers: async () => [],
        async [Symbol.asyncDispose]() {
          await Promise.all(Object.values(stores).map((store) => store[Symbol.asyncDispose]()));
          await service.deleteContainer(container);
        },
      };
    },
  });
});

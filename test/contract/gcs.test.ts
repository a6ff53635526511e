import { createContext } from '../../src/context.ts';
import { createGcsStore, type GcsStoreOptions } from '../../src/storage/drivers/gcs.ts';
import { describeService } from '../support/services.ts';
import { describeObjectStore } from './object-store.ts';

const mebibyte = 1024 * 1024;
const partSizeBytes = 5 * mebibyte;

await describeService('gcs', 'the Google Cloud Storage store', ({ apiEndpoint, projectId }) => {
  function connect(bucket: string) {
    const options: GcsStoreOptions = {
      bucket,
      apiEndpoint,
      environment: {},
      retry: { initialDelayMs: 50, maximumDelayMs: 500, deadlineMs: 60_000 },
      partSizeBytes,
    };
    return createGcsStore(options, createContext());
  }

  async function createBucket(bucket: string): Promise<void> {
    const response = await fetch(`${apiEndpoint}/storage/v1/b?project=${projectId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: bucket }),
    });
    if (!response.ok) throw new Error(`cannot create a bucket: ${await response.text()}`);
  }

  describeObjectStore({
    hasMissingPlaces: true,
    // fake-gcs-server lets everybody in.
    refusesStrangers: false,
    ordersAllPlanes: true,
    memoryBoundBytes: 48 * mebibyte,
    async open(bucket) {
      await createBucket(bucket);
      const stores = {
        store: connect(bucket),
        otherHost: connect(bucket),
        missing: connect(`${bucket}-missing`),
      };
      return {
        ...stores,
        denied: undefined,
        secrets: [],
        partSizeBytes,
        wholeBodyBytes: partSizeBytes,
        // The service does not tell which uploads are unfinished.
        leftovers: async () => [],
        async [Symbol.asyncDispose]() {
          await Promise.all(Object.values(stores).map((store) => store[Symbol.asyncDispose]()));
        },
      };
    },
  });
});

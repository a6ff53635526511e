import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { createContext } from '../../src/context.ts';
import { createS3Store, type S3StoreOptions } from '../../src/storage/drivers/s3.ts';
import { describeService, type ServiceEndpoints } from '../support/services.ts';
import { describeObjectStore } from './object-store.ts';

const mebibyte = 1024 * 1024;
const partSizeBytes = 5 * mebibyte;

await describeService('s3', 'the S3 store', (service) => {
  describeObjectStore({
    hasMissingPlaces: true,
    refusesStrangers: true,
    memoryBoundBytes: 192 * mebibyte,
    async open(bucket) {
      const client = s3Client(service);
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      const options = storeOptions(service, bucket);
      const strangers = { ...options.environment, AWS_SECRET_ACCESS_KEY: 'not-the-one-that-they-know' };
      const stores = {
        store: createS3Store(options, createContext()),
        otherHost: createS3Store(options, createContext()),
        missing: createS3Store({ ...options, bucket: `${bucket}-missing` }, createContext()),
        denied: createS3Store({ ...options, environment: strangers }, createContext()),
      };
      return {
        ...stores,
        secrets: [service.secretAccessKey, strangers.AWS_SECRET_ACCESS_KEY],
        partSizeBytes,
        wholeBodyBytes: partSizeBytes,
        async leftovers() {
          const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
          return Uploads.map(({ Key }) => String(Key));
        },
        async [Symbol.asyncDispose]() {
          client.destroy();
          await Promise.all(Object.values(stores).map((store) => store[Symbol.asyncDispose]()));
        },
      };
    },
  });
});

function storeOptions(service: ServiceEndpoints['s3'], bucket: string): S3StoreOptions {
  return {
    bucket,
    endpoint: service.endpoint,
    region: service.region,
    environment: { AWS_ACCESS_KEY_ID: service.accessKeyId, AWS_SECRET_ACCESS_KEY: service.secretAccessKey },
    retry: { initialDelayMs: 50, maximumDelayMs: 500, deadlineMs: 5000 },
    partSizeBytes,
  };
}

function s3Client({ endpoint, region, accessKeyId, secretAccessKey }: ServiceEndpoints['s3']): S3Client {
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
}

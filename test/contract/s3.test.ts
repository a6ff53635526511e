import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { createContext } from '../../src/context.ts';
import { createS3Store, type S3StoreOptions } from '../../src/storage/drivers/s3.ts';
import { describeService } from '../support/services.ts';
import { describeObjectStore } from './object-store.ts';

const mebibyte = 1024 * 1024;
const partSizeBytes = 5 * mebibyte;

await describeService('s3', 'the S3 store', ({ endpoint, region, accessKeyId, secretAccessKey }) => {
  const strangersSecret = 'not-the-one-that-they-know';

  function connect(bucket: string, secret = secretAccessKey) {
    const options: S3StoreOptions = {
      bucket,
      endpoint,
      region,
      environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret },
      retry: { initialDelayMs: 50, maximumDelayMs: 500, deadlineMs: 60_000 },
      partSizeBytes,
    };
    return createS3Store(options, createContext());
  }

  describeObjectStore({
    hasMissingPlaces: true,
    refusesStrangers: true,
    ordersAllPlanes: true,
    memoryBoundBytes: 48 * mebibyte,
    async open(bucket) {
      const credentials = { accessKeyId, secretAccessKey };
      const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      const stores = {
        store: connect(bucket),
        otherHost: connect(bucket),
        missing: connect(`${bucket}-missing`),
        denied: connect(bucket, strangersSecret),
      };
      return {
        ...stores,
        secrets: [secretAccessKey, strangersSecret],
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

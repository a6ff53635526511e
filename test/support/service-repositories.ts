import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobServiceClient } from '@azure/storage-blob';
import type { RepositoryAddress } from './journey.ts';
import type { ServiceEndpoints } from './services.ts';

/** Makes a bucket or container in a storage service, and says how a shell reaches a repository in it. */
export const makeRepository: {
  readonly [Name in keyof ServiceEndpoints]: (
    service: ServiceEndpoints[Name],
    bucket: string,
  ) => Promise<RepositoryAddress>;
} = {
  async s3({ endpoint, region, accessKeyId, secretAccessKey }, bucket) {
    const client = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
    });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    return {
      flags: ['--repository', `s3://${bucket}/clusters/main`, '--s3-endpoint', endpoint, '--s3-region', region],
      environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    };
  },
  async gcs({ apiEndpoint, projectId }, bucket) {
    const response = await fetch(`${apiEndpoint}/storage/v1/b?project=${projectId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: bucket }),
    });
    if (!response.ok) throw new Error(`cannot create a bucket: ${await response.text()}`);
    return {
      flags: ['--repository', `gs://${bucket}/clusters/main`],
      environment: { STORAGE_EMULATOR_HOST: apiEndpoint },
    };
  },
  async azure({ connectionString }, container) {
    await BlobServiceClient.fromConnectionString(connectionString).createContainer(container);
    return {
      flags: ['--repository', `azure://${container}/clusters/main`],
      environment: { AZURE_STORAGE_CONNECTION_STRING: connectionString },
    };
  },
};

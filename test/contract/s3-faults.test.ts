import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, vi } from 'vitest';
import { createContext } from '../../src/context.ts';
import { createS3Store } from '../../src/storage/drivers/s3.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { conditionalConflict, errorBehind200, slowDown } from '../support/fault-proxy.ts';
import { describeService } from '../support/services.ts';
import {
  briefRetry,
  describeFaults,
  type FaultyCloud,
  partSizeBytes,
  quickRetry,
  testWithFaults,
} from './cloud-faults.ts';

await describeService('s3', 'the S3 store, on a bad day,', (service) => {
  const { endpoint, region, accessKeyId, secretAccessKey } = service;
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  });
  const cloud: FaultyCloud = {
    url: endpoint,
    busy: slowDown,
    requests: {
      put: { method: 'PUT', path: /x-id=PutObject/ },
      secondPart: { method: 'PUT', path: /partNumber=2/ },
      lastStep: { method: 'POST', path: /uploadId=/ },
      get: { method: 'GET', path: /x-id=GetObject/ },
      head: { method: 'HEAD', path: /./ },
      list: { method: 'GET', path: /list-type=2/ },
      delete: { method: 'POST', path: /delete/ },
    },
    async createBucket(name) {
      await client.send(new CreateBucketCommand({ Bucket: name }));
    },
    connect: (url, { bucket, idleTimeoutMs, retry = quickRetry }) =>
      createS3Store(
        {
          bucket,
          endpoint: url,
          environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
          retry,
          partSizeBytes,
          idleTimeoutMs,
        },
        createContext(),
      ),
    repeatsParts: true,
    async leftovers(bucket) {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return Uploads.map(({ Key }) => String(Key));
    },
  };
  const it = testWithFaults(cloud);
  describeFaults(cloud);

  it('stores and reads with the checksums that Amazon is asked for', async ({ space: { proxy, bucket } }) => {
    const environment = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_SUPPORTED',
      AWS_RESPONSE_CHECKSUM_VALIDATION: 'WHEN_SUPPORTED',
    };
    const options = { bucket, endpoint: proxy.url, environment, retry: quickRetry, partSizeBytes };
    await using store = createS3Store(options, createContext());
    for (const sizeBytes of [0, 1000, 2 * partSizeBytes + 1]) {
      const [key, bytes] = [`object-${sizeBytes}`, walLikeBytes(sizeBytes)];
      await store.put(key, () => inChunks(bytes, 1_000_000), { ifAbsent: true });
      expect((await joined((await store.get(key)).body)).equals(bytes)).toBe(true);
    }
    proxy.inject({ ...cloud.requests.get, fault: { kind: 'truncate', afterBytes: 500 } });
    await expect(store.get('object-1000').then(({ body }) => joined(body))).rejects.toMatchObject({ retryable: true });
    for await (const _ of (await store.get('object-1000')).body) break;
    await store.delete(['object-0', 'object-1000']);
  });

  it('does not believe a 200 with an error in its body at the end of an upload', async ({ space }) => {
    const { proxy, store, bucket } = space;
    const bytes = walLikeBytes(2 * partSizeBytes);
    proxy.inject({ ...cloud.requests.lastStep, fault: errorBehind200 });
    await store.put('healed', () => inChunks(bytes, 1_000_000));
    expect((await joined((await store.get('healed')).body)).equals(bytes)).toBe(true);

    await using brief = cloud.connect(proxy.url, { bucket, retry: briefRetry });
    proxy.inject({ ...cloud.requests.lastStep, fault: errorBehind200, times: 1000 });
    await expect(brief.put('broken', bytes)).rejects.toMatchObject({ code: 'STORE', retryable: false });
    await expect(store.head('broken')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await cloud.leftovers(bucket)).toEqual([]);
  });

  it('does not believe a 200 without an ETag', async ({ space: { proxy, store } }) => {
    const page = { kind: 'answer', status: 200, body: '<html>Please log in</html>' } as const;
    proxy.inject({ ...cloud.requests.put, fault: page });
    await expect(store.put('object', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE', retryable: true });
    await expect(store.head('object')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('begins anew when a conditional write met another one', async ({ space: { proxy, store, patient, bucket } }) => {
    const bytes = walLikeBytes(2 * partSizeBytes);
    for (const [request, body] of [
      [cloud.requests.put, bytes.subarray(0, 1000)],
      [cloud.requests.lastStep, bytes],
    ] as const) {
      const key = `object-${body.length}`;
      proxy.inject({ ...request, fault: conditionalConflict });
      await expect(store.put(key, body, { ifAbsent: true })).rejects.toMatchObject({ code: 'STORE', retryable: true });
      proxy.inject({ ...request, fault: conditionalConflict });
      await patient.put(key, body, { ifAbsent: true });
      expect((await store.head(key)).sizeBytes).toBe(body.length);
    }
    expect(await cloud.leftovers(bucket)).toEqual([]);
  });

  it('reports the keys that a deletion of many left behind', async ({ space: { proxy, store, patient } }) => {
    await store.put('object', Buffer.from('x'));
    const refusal = (code: string) =>
      ({
        kind: 'answer',
        status: 200,
        body: `<DeleteResult><Error><Key>object</Key><Code>${code}</Code><Message>no</Message></Error></DeleteResult>`,
      }) as const;
    proxy.inject({ ...cloud.requests.delete, fault: refusal('AccessDenied') });
    await expect(patient.delete(['object', 'other'])).rejects.toMatchObject({
      code: 'PERMISSION',
      message: expect.stringContaining('object'),
    });
    proxy.inject({ ...cloud.requests.delete, fault: refusal('InternalError') });
    await patient.delete(['object', 'other']);
    await expect(store.head('object')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('fetches credentials anew from a file that was rotated when they have expired', async ({
    space,
    onTestFinished,
  }) => {
    const file = join(await mkdtemp(join(tmpdir(), 'seawall-credentials-')), 'credentials');
    const keys = `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    await writeFile(file, `${keys}aws_session_token=old\n`);
    const { proxy, bucket, store } = space;
    const options = { bucket, endpoint: proxy.url, environment: {}, retry: quickRetry };
    await using rotated = createS3Store(options, createContext());
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await rm(dirname(file), { recursive: true });
    });

    await store.put('object', Buffer.from('x'));
    const body = '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';
    proxy.inject({ ...cloud.requests.get, fault: { kind: 'answer', status: 400, body }, times: 2 });
    await expect(rotated.get('object')).rejects.toMatchObject({ code: 'PERMISSION' });
    await writeFile(file, keys);
    await expect(rotated.get('object')).rejects.toMatchObject({ code: 'STORE', retryable: true });
    expect((await joined((await rotated.get('object')).body)).toString()).toBe('x');
  });

  it('says that credentials have expired when there are no newer ones', async ({ space: { proxy, patient } }) => {
    const body = '<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>';
    proxy.inject({ ...cloud.requests.get, fault: { kind: 'answer', status: 400, body }, times: 9 });
    await expect(patient.get('object')).rejects.toMatchObject({
      code: 'PERMISSION',
      hint: expect.stringContaining('expired'),
    });
  });
});

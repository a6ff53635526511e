import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createContext, silentLogger } from '../../../src/context.ts';
import { createS3Store } from '../../../src/storage/drivers/s3.ts';
import { createS3Client, type S3Settings } from '../../../src/storage/drivers/s3-client.ts';
import type { Environment } from '../../../src/storage/environment.ts';

const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };

async function configOf(settings: S3Settings, environment: Environment) {
  const { config } = createS3Client({ bucket: 'bucket', ...settings }, environment, 1000, silentLogger);
  const [endpoint, region, checksums, credentials] = await Promise.all([
    config.endpoint?.(),
    config.region(),
    config.requestChecksumCalculation(),
    config.credentials(),
  ]);
  const { hostname: host, protocol } = endpoint ?? {};
  return { host, protocol, region, pathStyle: config.forcePathStyle, checksums, credentials };
}

describe('createS3Client', () => {
  it('talks to Amazon with host names and its checksums unless an endpoint is set', async () => {
    const config = await configOf({}, { ...keys, AWS_REGION: 'eu-west-1' });
    expect(config).toMatchObject({
      host: undefined,
      region: 'eu-west-1',
      pathStyle: false,
      checksums: 'WHEN_SUPPORTED',
    });
  });

  it('talks to another service with paths, the region us-east-1 and no new checksums', async () => {
    expect(await configOf({ endpoint: 'http://127.0.0.1:9000' }, keys)).toMatchObject({
      host: '127.0.0.1',
      protocol: 'http:',
      region: 'us-east-1',
      pathStyle: true,
      checksums: 'WHEN_REQUIRED',
    });
  });

  it('knows an endpoint of Amazon as such', async () => {
    const config = await configOf({ endpoint: 'https://s3.eu-west-1.amazonaws.com', region: 'eu-west-1' }, keys);
    expect(config).toMatchObject({ pathStyle: false, checksums: 'WHEN_SUPPORTED' });
  });

  it.each(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT'])('takes the endpoint from %s', async (name) => {
    expect(await configOf({}, { ...keys, [name]: 'https://minio.example.org' })).toMatchObject({
      host: 'minio.example.org',
    });
    expect(await configOf({}, { ...keys, [name]: 'minio.example.org:9000' })).toMatchObject({ protocol: 'https:' });
  });

  it('treats an empty variable as not set', async () => {
    const empty = { AWS_ENDPOINT_URL_S3: '', AWS_ENDPOINT_URL: '', AWS_REGION: '', AWS_DEFAULT_REGION: '' };
    expect(await configOf({}, { ...keys, ...empty, AWS_ENDPOINT: 'https://minio.example.org' })).toMatchObject({
      host: 'minio.example.org',
      region: 'us-east-1',
    });
  });

  it('prefers settings to the environment', async () => {
    const settings = { endpoint: 'http://one.example.org', region: 'eu-central-1', forcePathStyle: false };
    const environment = { ...keys, AWS_ENDPOINT_URL: 'http://two.example.org', AWS_REGION: 'us-west-2' };
    expect(await configOf(settings, environment)).toMatchObject({
      host: 'one.example.org',
      region: 'eu-central-1',
      pathStyle: false,
    });
  });

  it('takes keys in the spelling of Amazon and of WAL-G', async () => {
    const walg = {
      AWS_ACCESS_KEY: 'id',
      AWS_SECRET_KEY: 'secret',
      AWS_SESSION_TOKEN: 'token',
      AWS_REGION: 'eu-west-1',
    };
    expect((await configOf({}, walg)).credentials).toMatchObject({
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      sessionToken: 'token',
    });
  });

  it('refuses what is no URL', () => {
    expect(() => createS3Client({ bucket: 'bucket', endpoint: 'http://[' }, keys, 1000, silentLogger)).toThrow(
      expect.objectContaining({ code: 'CONFIG', hint: expect.stringMatching(/^[A-Z].*\.$/) }),
    );
  });
});

describe('an S3 endpoint behind TLS', () => {
  const folder = new URL('../../fixtures/tls/', import.meta.url);

  async function startTlsServer() {
    const [key, cert, authority] = await Promise.all(
      ['server.key', 'server.crt', 'ca.crt'].map((name) => readFile(new URL(name, folder), 'utf8')),
    );
    const server = createServer({ key, cert }, (_, response) => response.writeHead(200, { etag: '"x"' }).end());
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const close = async () => {
      server.closeAllConnections();
      server.close();
    };
    const endpoint = `https://localhost:${(server.address() as AddressInfo).port}`;
    return { endpoint, authority, [Symbol.asyncDispose]: close };
  }

  const common = { bucket: 'b', environment: keys, retry: { initialDelayMs: 1, maximumDelayMs: 1, deadlineMs: 1 } };

  it('is refused for good when nobody vouches for its certificate', async () => {
    await using server = await startTlsServer();
    await using store = createS3Store({ ...common, endpoint: server.endpoint }, createContext());
    await expect(store.put('object', Buffer.from('x'))).rejects.toMatchObject({
      code: 'STORE',
      retryable: false,
      hint: expect.stringContaining('certificate'),
    });
  });

  it('is trusted when its authority is', async () => {
    await using server = await startTlsServer();
    const options = { ...common, endpoint: server.endpoint, caCertificates: server.authority };
    await using store = createS3Store(options, createContext());
    await store.put('object', Buffer.from('x'));
  });

  it('is named as such when http is spoken there', async () => {
    await using server = await startTlsServer();
    const plain = server.endpoint.replace('https', 'http');
    await using store = createS3Store({ ...common, endpoint: plain }, createContext());
    await expect(store.put('object', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE' });
  });
});

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createContainerClient } from '../../../src/storage/drivers/azure-client.ts';
import type { Environment } from '../../../src/storage/environment.ts';

const key = Buffer.from('a key of the account').toString('base64');

function urlOf(environment: Environment, settings = {}): string {
  return createContainerClient('box', settings, environment).url;
}

describe('createContainerClient', () => {
  it('takes everything from a connection string', () => {
    const connection = `DefaultEndpointsProtocol=http;AccountName=acc;AccountKey=${key};BlobEndpoint=http://127.0.0.1:10000/acc;`;
    expect(urlOf({ AZURE_STORAGE_CONNECTION_STRING: connection })).toBe('http://127.0.0.1:10000/acc/box');
  });

  it.each(['AZURE_STORAGE_KEY', 'AZURE_STORAGE_ACCESS_KEY'])(
    'takes account and key from the environment, %s',
    (name) => {
      const client = createContainerClient('box', {}, { AZURE_STORAGE_ACCOUNT: 'acc', [name]: key });
      expect(client.url).toBe('https://acc.blob.core.windows.net/box');
      expect(client.credential).toMatchObject({ accountName: 'acc' });
    },
  );

  it('puts a token with or without question mark behind the URL', () => {
    for (const token of ['sv=2024&sig=x', '?sv=2024&sig=x']) {
      const url = urlOf({ AZURE_STORAGE_ACCOUNT: 'acc', AZURE_STORAGE_SAS_TOKEN: token });
      expect(url).toBe('https://acc.blob.core.windows.net/box?sv=2024&sig=x');
    }
  });

  it('falls back to the chain of identities, without loading it', () => {
    const client = createContainerClient('box', { account: 'acc' }, {});
    expect(client.credential).toHaveProperty('getToken');
  });

  it.each([
    [{ AZURE_ENVIRONMENT_NAME: 'AzureUSGovernmentCloud' }, 'core.usgovcloudapi.net'],
    [{ AZURE_ENVIRONMENT_NAME: 'azurechinacloud' }, 'core.chinacloudapi.cn'],
    [{ AZURE_ENDPOINT_SUFFIX: 'core.example.org', AZURE_ENVIRONMENT_NAME: 'AzureChinaCloud' }, 'core.example.org'],
  ])('finds the cloud by %j', (environment, suffix) => {
    expect(urlOf({ AZURE_STORAGE_ACCOUNT: 'acc', AZURE_STORAGE_KEY: key, ...environment })).toContain(suffix);
  });

  it('prefers the account of the URL to that of the environment', () => {
    expect(urlOf({ AZURE_STORAGE_ACCOUNT: 'other', AZURE_STORAGE_KEY: key }, { account: 'acc' })).toContain(
      '//acc.blob',
    );
  });

  it.each<[Environment]>([
    [{}],
    [{ AZURE_STORAGE_ACCOUNT: 'acc', AZURE_ENVIRONMENT_NAME: 'AzureMoonCloud' }],
    [{ AZURE_STORAGE_ACCOUNT: 'acc', AZURE_STORAGE_KEY: key, AZURE_ENDPOINT_SUFFIX: '127.0.0.1:10000' }],
    [{ AZURE_STORAGE_ACCOUNT: 'acc/other', AZURE_STORAGE_KEY: key }],
    [{ AZURE_STORAGE_CONNECTION_STRING: `AccountKey=${key};Endpoint=nonsense` }],
    [{ AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=http://[/;SharedAccessSignature=sig=${key}` }],
  ])('says what is missing or wrong in %j, and shows no secret', (environment) => {
    try {
      urlOf(environment);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONFIG', hint: expect.stringMatching(/^[A-Z].*\.$/) });
      expect(inspect(error)).not.toContain(key);
    }
  });
});

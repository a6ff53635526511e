import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createContext } from '../../src/context.ts';
import { openStore, type StoreSettings } from '../../src/storage/open.ts';
import { joined } from '../support/byte-streams.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';

const environment = {
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_REGION: 'eu-west-1',
  AZURE_STORAGE_ACCOUNT: 'acc',
  AZURE_STORAGE_KEY: 'a2V5',
};

async function open(settings: StoreSettings) {
  return await openStore({ environment, ...settings }, createContext());
}

describe('openStore', () => {
  it('opens a directory, in which keys are paths', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'seawall-open-'));
    try {
      await using store = await open({ url: `file://${directory}` });
      await store.put('folder/object', Buffer.from('x'));
      await using same = await open({ url: directory });
      expect((await joined((await same.get('folder/object')).body)).toString()).toBe('x');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it.each(['s3://bucket/wal/main', 'gs://bucket/wal/main', 'azure://bucket/wal/main', 's3://bucket'])(
    'opens %s, and calls it so',
    async (url) => {
      await using store = await open({ url });
      expect(store.location).toBe(url);
    },
  );

  it('puts the prefix before the keys, and tries again for as long as it is told', async () => {
    await using proxy = await startFaultProxy('http://127.0.0.1:1');
    const busy = { kind: 'answer', status: 503, body: '<Error><Code>SlowDown</Code></Error>' } as const;
    proxy.inject({ fault: busy, times: 1 });
    proxy.inject({ fault: { kind: 'answer', status: 200, headers: { etag: '"x"' } } });
    await using store = await open({
      url: `s3://bucket/wal/main?endpoint=${proxy.url}&pathStyle=true`,
      s3: { endpoint: 'http://127.0.0.1:2', storageClass: 'STANDARD_IA' },
    });
    await store.put('folder/object', Buffer.from('x'));
    expect(proxy.requests.map(({ path }) => path.replace(/\?.*/, ''))).toEqual([
      '/bucket/wal/main/folder/object',
      '/bucket/wal/main/folder/object',
    ]);

    await using hasty = await open({ url: `s3://bucket?endpoint=${proxy.url}`, retryDeadlineMs: 0 });
    proxy.inject({ fault: busy });
    await expect(hasty.put('object', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE' });
  });

  it('refuses a malformed URL', async () => {
    await expect(open({ url: 'ftp://host' })).rejects.toMatchObject({ code: 'CONFIG' });
  });

  it('says which file of certificates it cannot read', async () => {
    const call = open({ url: 's3://bucket', s3: { caCertFile: '/does/not/exist.pem' } });
    await expect(call).rejects.toMatchObject({
      code: 'LOCAL_FILE',
      message: expect.stringContaining('/does/not/exist.pem'),
    });
  });
});

import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { restoreCommandLine } from '../../src/cli/restore-command-line.ts';
import { resolveSettings } from '../../src/config/resolve.ts';

const secret = 'AccountKey=c2VjcmV0';

describe('restoreCommandLine', () => {
  it('names the launcher by its full path and the repository as it was given', () => {
    const resolved = resolveSettings({ flags: { repository: 'file:///srv/wal' }, environment: {} });
    expect(restoreCommandLine({ resolved, configPath: undefined })).toMatch(
      /^\/.*\/bin\/seawall wal-fetch "%f" "%p" --repository file:\/\/\/srv\/wal$/,
    );
  });

  it('carries along what says where the repository is, and never a credential', () => {
    const resolved = resolveSettings({
      flags: {},
      environment: {
        SEAWALL_REPOSITORY: 's3://bucket/prefix',
        AWS_ENDPOINT_URL: 'https://minio:9000',
        AWS_SECRET_ACCESS_KEY: 'hunter2',
        AZURE_STORAGE_CONNECTION_STRING: secret,
        AWS_S3_FORCE_PATH_STYLE: 'true',
      },
    });
    const line = restoreCommandLine({ resolved, configPath: undefined });
    expect(line).toContain('--repository s3://bucket/prefix --s3-endpoint https://minio:9000 --s3-path-style on');
    expect(line).not.toMatch(/hunter2|AccountKey/);
  });

  it('carries along how objects are read, with full paths, and never a key', () => {
    const resolved = resolveSettings({
      flags: { repository: '/srv/wal', libsodiumKeyFile: 'key' },
      environment: { SEAWALL_LIBSODIUM_KEY: 'c0nfidential', WALG_LIBSODIUM_KEY_TRANSFORM: 'hex' },
    });
    const line = restoreCommandLine({ resolved, configPath: undefined });
    expect(line).toContain(`--libsodium-key-file ${resolve('key')} --libsodium-key-transform hex`);
    expect(line).not.toContain('c0nfidential');
  });

  it('leaves to the configuration file what stands there', () => {
    const file = { path: '/srv/seawall.yaml', values: { repository: 'gs://bucket/prefix' } };
    const resolved = resolveSettings({ flags: {}, environment: {}, file });
    const line = restoreCommandLine({ resolved, configPath: '/srv/seawall.yaml' });
    expect(line).toContain('--config /srv/seawall.yaml');
    expect(line).not.toContain('gs://');
  });

  it('quotes for the shell, and for PostgreSQL, which replaces % itself', () => {
    const resolved = resolveSettings({ flags: { repository: "file:///srv/it's 100%" }, environment: {} });
    expect(restoreCommandLine({ resolved, configPath: undefined })).toMatch(/'file:\/\/\/srv\/it'\\''s 100%%'$/);
  });
});

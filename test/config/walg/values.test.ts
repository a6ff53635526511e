import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../../src/config/resolve.ts';

const valuesOf = (environment: Record<string, string>) => resolveSettings({ flags: {}, environment }).values;

describe('values in WAL-G’s own syntax', () => {
  it.each([
    [{ WALG_ZSTD_LEVEL: 'fastest' }, { compressionLevel: 1 }],
    [{ WALG_ZSTD_LEVEL: 'Default' }, { compressionLevel: 3 }],
    [{ WALG_ZSTD_LEVEL: 'best' }, { compressionLevel: 11 }],
    [{ WALG_LOG_LEVEL: 'DEVEL' }, { logLevel: 'debug' }],
    [{ WALG_LOG_LEVEL: 'NORMAL' }, { logLevel: 'info' }],
    [{ WALG_DOWNLOAD_CONCURRENCY: '10' }, { prefetchSegments: 10 }],
    [{ WALG_DOWNLOAD_CONCURRENCY: '1' }, { prefetchSegments: 0 }],
    [{ WALG_DOWNLOAD_CONCURRENCY: '1000' }, { prefetchSegments: 256 }],
    [{ WALG_UPLOAD_DISK_CONCURRENCY: '128' }, { jobs: 64 }],
    [{ WALG_TAR_SIZE_THRESHOLD: '1073741823' }, { partSize: 1_073_741_823 }],
    [{ WALG_TAR_SIZE_THRESHOLD: '1000' }, { partSize: 1_048_576 }],
    [{ WALG_COMPRESSION_METHOD: 'brotli' }, { compression: 'brotli' }],
    [{ AWS_S3_FORCE_PATH_STYLE: 'true' }, { s3PathStyle: true }],
  ])('%j gives %j', (environment, expected) => {
    expect(valuesOf(environment)).toMatchObject(expected);
  });

  it.each([
    [{ WALG_ZSTD_LEVEL: '3' }, 'for compressionLevel (from WALG_ZSTD_LEVEL): must be one of fastest, default'],
    [{ WALG_LOG_LEVEL: 'loud' }, 'for logLevel (from WALG_LOG_LEVEL): must be one of NORMAL, DEVEL'],
    [{ WALG_DOWNLOAD_CONCURRENCY: '0' }, 'must be a whole number, at least 1'],
    [{ WALG_UPLOAD_DISK_CONCURRENCY: 'many' }, 'must be a whole number, at least 1'],
    [{ WALG_COMPRESSION_METHOD: 'lzo' }, 'must be one of zstd, lz4'],
  ])('%j is an error', (environment, words) => {
    expect(() => valuesOf(environment)).toThrow(words);
  });

  it('gives way to the variable of our own', () => {
    expect(valuesOf({ WALG_ZSTD_LEVEL: 'best', SEAWALL_COMPRESSION_LEVEL: '5' })).toMatchObject({
      compressionLevel: 5,
    });
  });

  it('names the repository only where no setting does', () => {
    const walg = { WALG_S3_PREFIX: 's3://bucket/walg' };
    expect(resolveSettings({ flags: {}, environment: walg })).toMatchObject({
      values: { repository: 's3://bucket/walg' },
      origins: { repository: 'WALG_S3_PREFIX' },
    });
    const file = { path: '/etc/seawall/config.yaml', values: { repository: '/srv/wal' } };
    expect(resolveSettings({ flags: {}, environment: walg, file }).values.repository).toBe('/srv/wal');
    expect(valuesOf({ ...walg, SEAWALL_REPOSITORY: '/srv/own' }).repository).toBe('/srv/own');
    expect(() => valuesOf({ ...walg, WALG_FAILOVER_STORAGES: '{}' })).toThrow(
      'WALG_FAILOVER_STORAGES is not supported',
    );
  });
});

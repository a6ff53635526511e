import { describe, expect, it } from 'vitest';
import { walgRepository } from '../../../src/config/walg/repository.ts';
import { ConfigError } from '../../../src/errors.ts';

describe('the repository of WAL-G’s prefixes', () => {
  it.each([
    [{ WALG_S3_PREFIX: 's3://bucket/a/b' }, 's3://bucket/a/b'],
    [{ WALG_GS_PREFIX: 'gs://bucket/a/' }, 'gs://bucket/a/'],
    [{ WALG_AZ_PREFIX: 'azure://container/a' }, 'azure://container/a'],
    [{ WALG_FILE_PREFIX: '/srv/wal 100%' }, '/srv/wal 100%'],
    [{ WALG_FILE_PREFIX: 'file://localhost/srv/wal' }, '/srv/wal'],
    [{ WALE_S3_PREFIX: 's3://bucket/old' }, 's3://bucket/old'],
    [{ WALG_S3_PREFIX: '', WALE_S3_PREFIX: 's3://bucket/old' }, 's3://bucket/old'],
    [{ WALG_S3_PREFIX: 's3://bucket/new', WALE_S3_PREFIX: 's3://bucket/old' }, 's3://bucket/new'],
    [{ WALG_S3_PREFIX: 's3://bucket/a', WALG_STORAGE_PREFIX: '/x y/' }, 's3://bucket/a/x%20y'],
    [{ WALG_FILE_PREFIX: '/srv/wal/', WALG_STORAGE_PREFIX: 'x y' }, '/srv/wal/x y'],
    [{ WALG_GS_PREFIX: 'gs://bucket/a', GCS_NORMALIZE_PREFIX: 'false' }, 'gs://bucket/a'],
    [{ WALG_GS_PREFIX: 'gs://bucket//a//', GCS_NORMALIZE_PREFIX: 'true' }, 'gs://bucket//a//'],
    [{ WALG_S3_PREFIX: 's3://bucket/a?x=y' }, 's3://bucket/a'],
  ])('%j is %s', (environment, url) => {
    expect(walgRepository(environment)).toMatchObject({ url });
  });

  it('is that of the first backend in WAL-G’s order', () => {
    const environment = { WALG_FILE_PREFIX: '/srv/wal', WALG_S3_PREFIX: 's3://bucket/a', WALG_SSH_PREFIX: 'ssh://h/x' };
    expect(walgRepository(environment)).toEqual({
      url: 's3://bucket/a',
      origin: 'WALG_S3_PREFIX',
    });
    expect(walgRepository({})).toBeUndefined();
  });

  it.each([
    [{ WALG_SWIFT_PREFIX: 'swift://c/p' }, 'SWIFT', 'S3'],
    [{ WALG_SSH_PREFIX: 'ssh://host/p' }, 'SSH', 'WALG_FILE_PREFIX'],
    [{ WALG_OSS_PREFIX: 'oss://b/p', WALG_S3_PREFIX: 's3://b/p' }, 'OSS', 'AWS_ENDPOINT'],
    [{ WALG_GS_PREFIX: 'gs://b//p', GCS_NORMALIZE_PREFIX: 'false' }, 'GCS_NORMALIZE_PREFIX', 'doubled slashes'],
    [{ WALG_GS_PREFIX: 'gs://b/p/', GCS_NORMALIZE_PREFIX: '0' }, 'GCS_NORMALIZE_PREFIX', 'doubled slashes'],
    [{ WALG_S3_PREFIX: 'bucket/p' }, 's3://bucket/path', ''],
  ])('%j is refused, with what to do instead', (environment, words, hint) => {
    let thrown: unknown;
    try {
      walgRepository(environment);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    expect((thrown as ConfigError).message).toContain(words);
    expect((thrown as ConfigError).hint ?? '').toContain(hint);
  });
});

import { describe, expect, it } from 'vitest';
import { ConfigError, type SeawallError } from '../../src/errors.ts';
import { parseLocation } from '../../src/storage/location.ts';

function failure(url: string): SeawallError {
  try {
    parseLocation(url);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`${url} was accepted`);
}

describe('parseLocation', () => {
  it.each([
    ['/srv/wal', '/srv/wal'],
    ['/srv/wal/', '/srv/wal'],
    ['/srv/50%/wal', '/srv/50%/wal'],
    ['file:///srv/wal', '/srv/wal'],
    ['file://localhost/srv/wal', '/srv/wal'],
    ['file:///srv/my%20wal', '/srv/my wal'],
  ])('reads %s as a directory', (url, path) => {
    expect(parseLocation(url)).toEqual({ kind: 'file', path });
  });

  it.each([
    ['s3://bucket', ''],
    ['s3://bucket/', ''],
    ['s3://bucket/wal', 'wal'],
    ['s3://bucket//wal/main/', 'wal/main'],
    ['s3://bucket/my%20wal', 'my wal'],
    ['s3://bucket/größe', 'größe'],
  ])('reads %s as a bucket with the prefix %j', (url, prefix) => {
    expect(parseLocation(url)).toEqual({ kind: 's3', bucket: 'bucket', prefix, options: {} });
  });

  it('takes the options of an S3 service from the query', () => {
    const url =
      's3://b/p?endpoint=https://minio:9000&region=eu-west-1&pathStyle=true&storageClass=STANDARD_IA&sse=aws:kms&sseKmsKeyId=k';
    expect(parseLocation(url)).toMatchObject({
      bucket: 'b',
      prefix: 'p',
      options: {
        endpoint: 'https://minio:9000',
        region: 'eu-west-1',
        pathStyle: true,
        storageClass: 'STANDARD_IA',
        sse: 'aws:kms',
        sseKmsKeyId: 'k',
      },
    });
  });

  it('reads buckets of Google and containers of Azure', () => {
    expect(parseLocation('gs://b_1/p/q')).toEqual({ kind: 'gs', bucket: 'b_1', prefix: 'p/q' });
    const azure = { kind: 'azure', container: 'c', prefix: 'p', account: undefined };
    expect(parseLocation('azure://c/p')).toEqual(azure);
    expect(parseLocation('az://c/p')).toEqual(azure);
    expect(parseLocation('azure://c/p?account=acc')).toEqual({ ...azure, account: 'acc' });
  });

  it.each([
    '',
    '  ',
    'srv/wal',
    './wal',
    'bucket',
    '/',
    'file:///',
    'file://host/srv/wal',
    'file:srv/wal',
    'file:///srv/wal?x=1',
    's3:',
    's3://',
    's3:///prefix',
    's3:bucket',
    's3://bucket:9000/wal',
    's3://bucket/wal#part',
    's3://bucket/a//b',
    's3://bucket/%zz',
    's3://bucket/a?pathStyle=maybe',
    'gs://bucket/p?region=x',
    'ftp://host/path',
    'http://bucket.s3.amazonaws.com/wal',
  ])('refuses %j with a hint', (url) => {
    expect(failure(url).hint).toMatch(/^[A-Z].*[.?]$/);
  });

  it('suggests the parameter that was meant', () => {
    expect(failure('s3://b/p?regoin=x').hint).toContain('Did you mean region?');
  });

  it.each(['s3://key:secret@bucket/p', 's3://key:secret@bucket:bad port/p', 's3://key@bucket/p'])(
    'never shows the credentials of %s',
    (url) => {
      expect(failure(url).message).not.toMatch(/key|secret/);
    },
  );
});

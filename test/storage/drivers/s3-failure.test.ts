import { describe, expect, it } from 'vitest';
import { deletionFailure, s3Failure } from '../../../src/storage/drivers/s3-failure.ts';
import { kindOf } from '../../support/failure-kind.ts';

function s3Answer(status: number | undefined, code: string, more: object = {}): Error {
  const metadata = status === undefined ? {} : { $metadata: { httpStatusCode: status, ...more } };
  return Object.assign(new Error('in the words of S3'), { name: code, ...metadata });
}

describe('s3Failure', () => {
  it.each([
    [404, 'NoSuchKey', 'NOT_FOUND'],
    [404, 'NotFound', 'STORE, permanent'],
    [404, 'NoSuchBucket', 'CONFIG'],
    [301, 'PermanentRedirect', 'CONFIG'],
    [400, 'AuthorizationHeaderMalformed', 'CONFIG'],
    [412, 'PreconditionFailed', 'ALREADY_EXISTS'],
    [409, 'ConditionalRequestConflict', 'STORE, may pass'],
    [404, 'NoSuchUpload', 'STORE, may pass'],
    [400, 'BadDigest', 'STORE, may pass'],
    [400, 'RequestTimeout', 'STORE, may pass'],
    [429, 'TooManyRequests', 'STORE, may pass'],
    [503, 'SlowDown', 'STORE, may pass'],
    [500, 'InternalError', 'STORE, may pass'],
    [501, 'NotImplemented', 'STORE, permanent'],
    [400, 'InvalidArgument', 'STORE, permanent'],
    [403, 'AccessDenied', 'PERMISSION'],
    [403, 'InvalidAccessKeyId', 'PERMISSION'],
    [403, 'SignatureDoesNotMatch', 'PERMISSION'],
    [400, 'ExpiredToken', 'PERMISSION'],
    [403, 'RequestTimeTooSkewed', 'PERMISSION'],
    [403, 'InvalidObjectState', 'STORE, permanent'],
    [undefined, 'CredentialsProviderError', 'PERMISSION'],
    [undefined, 'TimeoutError', 'STORE, may pass'],
    [undefined, 'Error', 'STORE, permanent'],
  ])('makes of %s %s: %s', (status, code, kind) => {
    const error = s3Answer(status, code);
    const failure = s3Failure(error, 'store object in s3://bucket');
    expect(kindOf(failure)).toBe(kind);
    expect(failure.message).toMatch(/^cannot store object in s3:\/\/bucket/);
    expect(failure.cause).toBe(error);
  });

  it('says that a skewed clock may pass once the SDK has corrected it', () => {
    const error = s3Answer(403, 'RequestTimeTooSkewed', { clockSkewCorrected: true });
    expect(kindOf(s3Failure(error, 'store object'))).toBe('STORE, may pass');
  });

  it('names the region as missing', () => {
    expect(kindOf(s3Failure(new Error('Region is missing'), 'store object'))).toBe('CONFIG');
  });
});

describe('deletionFailure', () => {
  it('lets the worst refusal decide, and does not mind keys that were absent', () => {
    const refused = [
      { Key: 'a', Code: 'NoSuchKey' },
      { Key: 'b', Code: 'InternalError' },
    ];
    const kind = (errors: typeof refused) => {
      const failure = deletionFailure(errors, 's3://bucket');
      return failure === undefined ? undefined : kindOf(failure);
    };
    expect(kind([])).toBeUndefined();
    expect(kind(refused.slice(0, 1))).toBeUndefined();
    expect(kind(refused)).toBe('STORE, may pass');
    expect(kind([...refused, { Key: 'c', Code: 'AccessDenied' }])).toBe('PERMISSION');
  });
});

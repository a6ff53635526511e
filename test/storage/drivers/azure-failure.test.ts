import { RestError } from '@azure/storage-blob';
import { describe, expect, it } from 'vitest';
import { azureFailure } from '../../../src/storage/drivers/azure-failure.ts';
import { kindOf } from '../../support/failure-kind.ts';

function azureAnswer(status: number | undefined, code: string): Error {
  return new RestError('in the words of Azure', { code, ...(status === undefined ? {} : { statusCode: status }) });
}

describe('azureFailure', () => {
  it.each([
    [404, 'BlobNotFound', 'NOT_FOUND'],
    [404, '', 'STORE, permanent'],
    [404, 'ContainerNotFound', 'CONFIG'],
    [409, 'ContainerBeingDeleted', 'CONFIG'],
    [409, 'BlobAlreadyExists', 'ALREADY_EXISTS'],
    [412, 'ConditionNotMet', 'ALREADY_EXISTS'],
    [412, 'LeaseIdMissing', 'STORE, permanent'],
    [409, 'BlobArchived', 'STORE, permanent'],
    [400, 'InvalidBlobOrBlock', 'STORE, permanent'],
    [400, 'InvalidBlockList', 'STORE, may pass'],
    [400, 'Md5Mismatch', 'STORE, may pass'],
    [503, 'ServerBusy', 'STORE, may pass'],
    [500, 'OperationTimedOut', 'STORE, may pass'],
    [403, 'AuthenticationFailed', 'PERMISSION'],
    [403, 'AuthorizationPermissionMismatch', 'PERMISSION'],
    [401, 'NoAuthenticationInformation', 'PERMISSION'],
    [undefined, 'REQUEST_SEND_ERROR', 'STORE, may pass'],
    [undefined, 'ECONNREFUSED', 'STORE, may pass'],
  ])('makes of %s %s: %s', (status, code, kind) => {
    const error = azureAnswer(status, code);
    const failure = azureFailure(error, 'store object in azure://container');
    expect(kindOf(failure)).toBe(kind);
    expect(failure.message).toMatch(/^cannot store object in azure:\/\/container/);
  });

  it('takes an identity that is not to be had for a matter of permission', () => {
    const error = Object.assign(new Error('no identity'), { name: 'CredentialUnavailableError' });
    expect(kindOf(azureFailure(error, 'store object'))).toBe('PERMISSION');
  });
});

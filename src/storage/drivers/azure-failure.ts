import { isRestError } from '@azure/storage-blob';
import {
  AlreadyExistsError,
  ConfigError,
  type ErrorDetails,
  NotFoundError,
  PermissionError,
  StoreError,
} from '../../errors.ts';
import { transportFailure } from './transport-failure.ts';

/**
 * The error of ours for what a call of the SDK threw.
 *
 * Absence needs Azure's own word `BlobNotFound`, which stands in a header also where an answer has no body: a 404 without it
 * may come from anybody on the way.
 *
 * @param action - what failed, naming the object: `store wal_005/… in azure://container`
 * @see Azure Storage REST API, "Common REST API error codes" and "Blob Storage error codes"
 */
export function azureFailure(error: unknown, action: string): Error {
  const { code, status } = answerOf(error);
  const message = `cannot ${action}${status === undefined ? '' : ` (${status} ${code || 'without a code'})`}`;
  const details = (hint: string | undefined): ErrorDetails =>
    hint === undefined ? { cause: error } : { cause: error, hint };

  if (code === 'BlobNotFound') return new NotFoundError(message, details(undefined));
  if (alreadyThere.has(code)) return new AlreadyExistsError(message, details(undefined));
  const configHint = configHints[code];
  if (configHint !== undefined) return new ConfigError(message, details(configHint));
  const permanentHint = permanentHints[code];
  if (permanentHint !== undefined) return new StoreError(message, { ...details(permanentHint), retryable: false });
  const permissionHint = permissionHints[code] ?? (status === 401 || status === 403 ? deniedHint : undefined);
  if (permissionHint !== undefined) return new PermissionError(message, details(permissionHint));
  if (error instanceof Error && identityErrors.test(error.name))
    return new PermissionError(message, details(identityHint));

  if (status !== undefined) return new StoreError(message, { cause: error, retryable: isTransient(code, status) });
  const failure = transportFailure(error);
  // The SDK's own words for a connection that broke while it sent or read.
  const hasBroken = code === 'REQUEST_SEND_ERROR' || code === 'PARSE_ERROR';
  return new StoreError(message, { ...details(failure?.hint), retryable: failure?.retryable ?? hasBroken });
}

/** Azure's own code of an error, e.g. `InvalidBlockList`; empty when it is none of the service. */
export function azureCode(error: unknown): string {
  return answerOf(error).code;
}

function answerOf(error: unknown): { readonly code: string; readonly status: number | undefined } {
  if (!isRestError(error)) return { code: '', status: undefined };
  const details = error.details as { errorCode?: string } | undefined;
  return { code: details?.errorCode ?? error.code ?? '', status: error.statusCode };
}

const alreadyThere = new Set(['BlobAlreadyExists', 'ConditionNotMet', 'TargetConditionNotMet']);

const containerHint = 'Create the container, or correct its name in the URL of the repository.';

const configHints: Readonly<Record<string, string>> = {
  ContainerNotFound: containerHint,
  ContainerBeingDeleted: containerHint,
  ContainerDisabled: 'Enable the container.',
  AccountIsDisabled: 'Enable the storage account.',
  InvalidResourceName: 'Correct the name of the container in the URL of the repository.',
};

const permanentHints: Readonly<Record<string, string>> = {
  BlobArchived: 'Move the blob out of the archive tier first.',
  BlobBeingRehydrated: 'Wait until the blob has left the archive tier.',
  BlobImmutableDueToPolicy: 'Wait until the immutability policy of the container lets the blob go.',
  InvalidBlobOrBlock:
    'Another program left uncommitted blocks under this name; wait a week, until Azure removes them, or commit them.',
  LeaseIdMissing: 'Break the lease that another program holds on the blob.',
};

const deniedHint =
  'Grant the role "Storage Blob Data Contributor" on the container, or a token with read, write, delete and list.';

const permissionHints: Readonly<Record<string, string>> = {
  AuthenticationFailed: 'Check the key or token of the storage account, and the clock of this host.',
  InvalidAuthenticationInfo: 'Check the key or token of the storage account.',
  NoAuthenticationInformation: 'Set a key, a token or an identity for the storage account.',
  KeyBasedAuthenticationNotPermitted: 'Use an identity instead of a key: the account takes no keys.',
  AuthorizationSourceIPMismatch: 'Add this host to the addresses that the token allows.',
};

const identityErrors =
  /^(CredentialUnavailableError|AuthenticationError|AggregateAuthenticationError|AuthenticationRequiredError)$/;
const identityHint =
  'Set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, or give this host an identity.';

/** Refusals below 500 that the same request may survive the next time. */
const transientCodes = new Set([
  'InvalidBlockList',
  'Md5Mismatch',
  'OperationTimedOut',
  'RequestTimeout',
  'ServerBusy',
]);

function isTransient(code: string, status: number): boolean {
  return transientCodes.has(code) || status === 408 || status === 429 || status >= 500;
}

import { gaxios } from 'google-auth-library';
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
 * The error of ours for a request that failed. A 404 becomes a {@link NotFoundError} only where Google's own words say that it is the object
 * that is missing; otherwise it may be the bucket, or come from anybody on the way, and `isBareAbsence` is true.
 *
 * @param action - what failed, naming the object: `store wal_005/… in gs://bucket`
 * @see Google Cloud Storage JSON API v1, "HTTP status and error codes"
 */
export function gcsFailure(error: unknown, action: string): Error {
  const { status, reason, text } = answerOf(error);
  const message = `cannot ${action}${status === undefined ? '' : ` (${[status, reason].filter(Boolean).join(' ')})`}`;
  const details = (hint: string | undefined): ErrorDetails =>
    hint === undefined ? { cause: error } : { cause: error, hint };

  if (status === 404 && /^No such object/.test(text)) return new NotFoundError(message, details(undefined));
  if (status === 404 && /bucket does not exist/.test(text)) return new ConfigError(message, details(missingBucketHint));
  if (status === 412) return new AlreadyExistsError(message, details(undefined));
  if (isCredentialFailure(error)) return new PermissionError(message, details(credentialsHint));
  const isThrottled = reason === 'rateLimitExceeded' || reason === 'userRateLimitExceeded';
  if ((status === 401 || status === 403) && !isThrottled) return new PermissionError(message, details(deniedHint));
  if (status !== undefined)
    return new StoreError(message, { cause: error, retryable: isThrottled || isTransient(status) });
  const failure = transportFailure(error);
  return new StoreError(message, { ...details(failure?.hint), retryable: failure?.retryable ?? false });
}

export const missingBucketHint = 'Create the bucket, or correct its name in the URL of the repository.';

/** Whether this error of ours stands for a 404 that does not say what is missing. */
export function isBareAbsence(error: unknown): error is StoreError {
  return error instanceof StoreError && answerOf(error.cause).status === 404;
}

/** The status of the answer behind an error of ours. */
export function gcsStatus(error: Error): number | undefined {
  return answerOf(error.cause).status;
}

interface Answer {
  readonly status: number | undefined;
  /** `notFound`, `forbidden` …; empty when the answer is none of the API. */
  readonly reason: string;
  readonly text: string;
}

function answerOf(error: unknown): Answer {
  if (!(error instanceof gaxios.GaxiosError)) return { status: undefined, reason: '', text: '' };
  const body = parsed(error.response?.data);
  return {
    status: error.response?.status,
    reason: body?.errors?.[0]?.reason ?? '',
    text: body?.message ?? String(error.response?.data ?? ''),
  };
}

interface ApiError {
  readonly message?: string;
  readonly errors?: readonly { readonly reason?: string }[];
}

/** The API says what failed in JSON; where the body was asked for as a stream, that comes as text. */
function parsed(data: unknown): ApiError | undefined {
  try {
    const document: unknown = typeof data === 'string' ? JSON.parse(data) : data;
    return (document as { error?: ApiError } | null)?.error;
  } catch {
    return undefined;
  }
}

const deniedHint =
  'Grant the role "Storage Object Admin" on the bucket to the account whose credentials are used here.';
const credentialsHint =
  'Set GOOGLE_APPLICATION_CREDENTIALS to the file of a key, run "gcloud auth application-default login", or give this host a service account.';

/** Google's library throws plain errors when it finds no credentials; OAuth answers name what they refuse in a text called `error`. */
function isCredentialFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (
    /Could not load the default credentials|Could not refresh access token|Unable to detect a Project Id/.test(
      error.message,
    )
  ) {
    return true;
  }
  const data: unknown = error instanceof gaxios.GaxiosError ? error.response?.data : undefined;
  const refusal = typeof data === 'object' && data !== null && 'error' in data ? data.error : undefined;
  return typeof refusal === 'string' && /^(invalid_|unauthorized_|access_denied)/.test(refusal);
}

function isTransient(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

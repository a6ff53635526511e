import type { _Error } from '@aws-sdk/client-s3';
import {
  AlreadyExistsError,
  ConfigError,
  type ErrorDetails,
  NotFoundError,
  PermissionError,
  StoreError,
} from '../../errors.ts';
import { transportFailure } from './transport-failure.ts';

/** What the SDK tells about a request that the service refused; S3's own code is its `name`. */
interface ServiceAnswer {
  readonly code: string;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  readonly hasCorrectedClock: boolean;
}

/**
 * The error of ours for what a call of the SDK threw.
 *
 * Absence needs S3's own word `NoSuchKey`: a 404 without it may come from anybody on the way, a proxy or a wrong path.
 *
 * @param action - what failed, naming the object: `store wal_005/… in s3://bucket`
 * @see Amazon S3 API Reference, "Error responses", list of error codes
 */
export function s3Failure(error: unknown, action: string): Error {
  const answer = answerOf(error);
  const label = answer.status === undefined ? '' : ` (${answer.status} ${answer.code})`;
  const message = `cannot ${action}${label}`;
  const details = (hint: string | undefined): ErrorDetails =>
    hint === undefined ? { cause: error } : { cause: error, hint };

  if (answer.code === 'NoSuchKey') return new NotFoundError(message, details(undefined));
  if (answer.status === 412) return new AlreadyExistsError(message, details(undefined));

  const configHint = configHints[answer.code] ?? (answer.status === 301 ? wrongRegionHint : undefined);
  if (configHint !== undefined) return new ConfigError(message, details(configHint));

  if (answer.hasCorrectedClock) return new StoreError(message, { ...details(undefined), retryable: true });
  const stateHint = permanentHints[answer.code];
  if (stateHint !== undefined) return new StoreError(message, { ...details(stateHint), retryable: false });
  const permissionHint = permissionHints[answer.code] ?? (isDenied(answer) ? deniedHint : undefined);
  if (permissionHint !== undefined) return new PermissionError(message, details(permissionHint));

  if (answer.status !== undefined) return new StoreError(message, { cause: error, retryable: isTransient(answer) });
  const failure = transportFailure(error);
  const isTimeout = answer.code === 'TimeoutError';
  return new StoreError(message, { ...details(failure?.hint), retryable: failure?.retryable ?? isTimeout });
}

/**
 * The error for the keys that a deletion of many left behind, as S3 reports them inside of an answer 200. The worst decides: as soon
 * as one refusal is permanent, there is no use in repeating.
 */
export function deletionFailure(refused: readonly _Error[], location: string): Error | undefined {
  const failures = refused
    .filter(({ Code }) => Code !== 'NoSuchKey')
    .map(({ Key, Code, Message }) => {
      const status = Code === 'AccessDenied' ? 403 : Code === 'InternalError' ? 500 : 400;
      const answer = Object.assign(new Error(Message), { name: Code ?? '', $metadata: { httpStatusCode: status } });
      const others = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
      return s3Failure(answer, `delete ${Key}${others} from ${location}`);
    });
  return failures.find((failure) => !(failure instanceof StoreError && failure.retryable)) ?? failures[0];
}

/** Whether the service refused the request itself (4xx), as opposed to being in trouble. */
export function isRefusal(error: unknown): boolean {
  const { status } = answerOf(error instanceof Error ? error.cause : undefined);
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** Whether the service says that the credentials were good once. */
export function isExpiry(error: unknown): boolean {
  return ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'].includes(answerOf(error).code);
}

/** S3's own code of an error, e.g. `NoSuchUpload`; empty when it is none of the service. */
export function s3Code(error: unknown): string {
  return answerOf(error).code;
}

function answerOf(error: unknown): ServiceAnswer {
  if (!(error instanceof Error)) return { code: '', status: undefined, hasCorrectedClock: false };
  const metadata: { httpStatusCode?: number; clockSkewCorrected?: boolean } =
    '$metadata' in error && typeof error.$metadata === 'object' && error.$metadata !== null ? error.$metadata : {};
  return {
    code: error.message === 'Region is missing' ? 'RegionMissing' : error.name,
    status: metadata.httpStatusCode,
    hasCorrectedClock: metadata.clockSkewCorrected === true,
  };
}

const wrongRegionHint = 'Set the region of the bucket (AWS_REGION or region= in the URL), and check the endpoint.';

const configHints: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Create the bucket, or correct its name in the URL of the repository.',
  InvalidBucketName: 'Correct the name of the bucket in the URL of the repository.',
  RegionMissing: 'Set AWS_REGION, or region= in the URL of the repository.',
  PermanentRedirect: wrongRegionHint,
  AuthorizationHeaderMalformed: wrongRegionHint,
  IllegalLocationConstraintException: wrongRegionHint,
  InvalidStorageClass: 'Correct the storage class.',
};

const deniedHint =
  'Grant s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the prefix and s3:ListBucket on the bucket; without s3:ListBucket, S3 says "denied" also where there is no object.';

const permissionHints: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'Check the access key: the service does not know it.',
  SignatureDoesNotMatch: 'Check the secret key: the signature made with it is wrong.',
  XAdminUserNotFound: 'Check the access key: the service does not know it.',
  InvalidToken: 'Check the session token (AWS_SESSION_TOKEN).',
  ExpiredToken: 'Renew the session: its credentials have expired.',
  ExpiredTokenException: 'Renew the session: its credentials have expired.',
  TokenRefreshRequired: 'Renew the session: its credentials have expired.',
  RequestTimeTooSkewed: 'Set the clock of this host: it differs from that of the service.',
  CredentialsProviderError:
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with AWS_PROFILE, or give this host a role.',
};

const permanentHints: Readonly<Record<string, string>> = {
  InvalidObjectState: 'Restore the object from its archive storage class first.',
  NotImplemented: 'Use a service that knows this request, or another kind of repository.',
};

function isDenied(answer: ServiceAnswer): boolean {
  return answer.status === 401 || answer.status === 403;
}

/** Refusals below 500 that the same request may survive the next time. */
const transientCodes = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'IncompleteBody',
  'InvalidPart',
  'NoSuchUpload',
  'OperationAborted',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'XAmzContentSHA256Mismatch',
]);

function isTransient({ code, status }: ServiceAnswer): boolean {
  return transientCodes.has(code) || status === 408 || status === 429 || (status !== undefined && status >= 500);
}

/**
 * The errors that Seawall throws on purpose. Each class stands for what the caller can do about it, not for
 * where it arose; `src/cli/exit-codes.ts` maps the codes to exit statuses.
 *
 * Messages: lower case, no full stop, begin with what failed and name the object. The hint is one full sentence
 * that tells the operator what to do next.
 */

/** Stable names of the error classes, part of the public API and of the log lines. */
export type ErrorCode =
  | 'USAGE'
  | 'CONFIG'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'STORE'
  | 'PERMISSION'
  | 'INTEGRITY'
  | 'POSTGRES'
  | 'BUSY'
  | 'LOCAL_FILE';

/** What every error of ours may carry besides its message. */
export interface ErrorDetails {
  /** The error that led to this one; its own words are shown after ours. */
  readonly cause?: unknown;
  /** One full sentence: what the operator can do next. */
  readonly hint?: string;
}

/** So many characters of a message are kept: it may quote what a damaged object holds, and goes into PostgreSQL's log at every attempt. */
const longestMessage = 4_000;

function shortened(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}…`;
}

/** Base of every error that is thrown on purpose; anything else that surfaces is a bug and is shown with its stack. */
export abstract class SeawallError extends Error {
  abstract readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(shortened(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
  }
}

/** The command line is wrong: an unknown option, a missing argument, a path that is not a WAL name. */
export class UsageError extends SeawallError {
  override readonly code = 'USAGE';
}

/** The settings are wrong: no repository, a malformed URL, a bucket or directory that does not exist. */
export class ConfigError extends SeawallError {
  override readonly code = 'CONFIG';
}

/** The repository answered, and there is no such object. Never thrown for an answer that did not come. */
export class NotFoundError extends SeawallError {
  override readonly code = 'NOT_FOUND';
}

/** An object of that name is there already (from a store), or is there with other bytes (from a feature). */
export class AlreadyExistsError extends SeawallError {
  override readonly code = 'ALREADY_EXISTS';
}

/** The store could not be reached or answered with a failure. */
export class StoreError extends SeawallError {
  override readonly code = 'STORE';
  /** Whether the same request may succeed when it is sent again: throttling, resets, time-outs, 5xx. */
  readonly retryable: boolean;

  constructor(message: string, details: ErrorDetails & { readonly retryable: boolean }) {
    super(message, details);
    this.retryable = details.retryable;
  }
}

/** Credentials are missing, wrong or too weak, in the store or on the local disk. Never retried. */
export class PermissionError extends SeawallError {
  override readonly code = 'PERMISSION';
}

/** Bytes are not what they must be: damaged, truncated, of another cluster, of the wrong size. */
export class IntegrityError extends SeawallError {
  override readonly code = 'INTEGRITY';
}

/** The PostgreSQL server could not be reached or refused. */
export class PostgresError extends SeawallError {
  override readonly code = 'POSTGRES';
}

/** Somebody else holds it, or a deadline has passed: worth trying again later. */
export class BusyError extends SeawallError {
  override readonly code = 'BUSY';
}

/** A local file or directory cannot be read, written or used: disk full, read-only, not empty. */
export class LocalFileError extends SeawallError {
  override readonly code = 'LOCAL_FILE';
}

/** The text of whatever was thrown, for use inside another message. */
export function describeError(error: unknown): string {
  return shortened(error instanceof Error ? error.message || error.name : String(error));
}

/** The `code` of a Node system error (`ENOENT`, `EXDEV` …), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** Whether the error is the platform's own sign of cancellation (`AbortSignal`). */
export function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

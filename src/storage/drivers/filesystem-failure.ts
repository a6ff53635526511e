import { stat } from 'node:fs/promises';
import { ConfigError, StoreError, systemErrorCode } from '../../errors.ts';
import { fileError } from '../../util/file-error.ts';

/** What an operator must change; another attempt by itself would fail alike. */
const localFaults = new Set(['EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS']);

/**
 * What may pass: a busy machine, a network file system that lost its server, a folder that was removed meanwhile. EIO is not among
 * them: after a failed fsync the kernel may call the lost pages clean, so a second fsync of the same file proves nothing.
 */
const transientFaults = new Set(
  'EAGAIN EBUSY EHOSTDOWN EHOSTUNREACH EINTR EMFILE ENETDOWN ENETUNREACH ENFILE ENOENT ENOMEM ESTALE ETIMEDOUT'.split(
    ' ',
  ),
);

/** Whether the system says that nothing has this name. */
export function isAbsence(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * An empty directory and a missing one must never look alike: behind a missing one may be a volume that is not mounted.
 *
 * @throws {@link ConfigError} when the root is missing or no directory
 */
export async function requireRoot(root: string): Promise<void> {
  const hint = `Create ${root} for the user that runs Seawall, or mount the volume that holds it.`;
  try {
    if ((await stat(root)).isDirectory()) return;
  } catch (cause) {
    if (!isAbsence(cause)) throw await translateFailure(root, `cannot open the directory ${root}`, cause);
    throw new ConfigError(`cannot open the directory ${root}: it does not exist`, { cause, hint });
  }
  throw new ConfigError(`cannot open the directory ${root}: it is not a directory`, { hint });
}

/**
 * The error of ours for what a call on a file threw; what is no system error comes back as it is.
 *
 * @param message - what failed, naming the object
 * @throws {@link ConfigError} when the reason is that the root is missing
 */
export async function translateFailure(root: string, message: string, error: unknown): Promise<unknown> {
  const code = systemErrorCode(error);
  if (code === undefined || !(error instanceof Error) || !('syscall' in error)) return error;
  if (localFaults.has(code)) return fileError(message, root, error);
  if (isAbsence(error)) await requireRoot(root);
  return new StoreError(message, { cause: error, retryable: transientFaults.has(code) });
}

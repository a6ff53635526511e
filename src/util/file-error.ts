import { LocalFileError, PermissionError, type SeawallError, systemErrorCode } from '../errors.ts';

const noRoom = new Set(['ENOSPC', 'EDQUOT']);

/**
 * The error for a failed call on a file or directory, with the system's own as its cause.
 *
 * @param message - what failed, e.g. `cannot write /srv/wal/x`
 * @param place - the path that the hint speaks of
 */
export function fileError(message: string, place: string, cause: unknown): SeawallError {
  const code = systemErrorCode(cause) ?? '';
  if (code === 'EACCES' || code === 'EPERM') {
    return new PermissionError(message, { cause, hint: `Give the user that runs Seawall access to ${place}.` });
  }
  if (noRoom.has(code)) {
    return new LocalFileError(message, {
      cause,
      hint: `Make room on the file system of ${place}, or raise the quota.`,
    });
  }
  if (code === 'EROFS') {
    return new LocalFileError(message, { cause, hint: `Mount the file system of ${place} for writing.` });
  }
  return new LocalFileError(message, { cause });
}

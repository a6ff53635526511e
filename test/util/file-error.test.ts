import { describe, expect, it } from 'vitest';
import { LocalFileError, PermissionError } from '../../src/errors.ts';
import { fileError } from '../../src/util/file-error.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the system says it`), { code });
}

describe('the error of a failed call on a file', () => {
  it.for(['EACCES', 'EPERM'])('is PermissionError for %s', (code) => {
    const error = fileError('cannot write /srv/x', '/srv', systemError(code));
    expect(error).toBeInstanceOf(PermissionError);
    expect(error.hint).toContain('/srv');
  });

  it.for(['ENOSPC', 'EDQUOT', 'EROFS'])('is LocalFileError for %s, with what to do', (code) => {
    const cause = systemError(code);
    const error = fileError('cannot write /srv/x', '/srv', cause);
    expect(error).toBeInstanceOf(LocalFileError);
    expect(error.hint).toContain('/srv');
    expect(error.cause).toBe(cause);
  });

  it('is LocalFileError for anything else, without advice', () => {
    const error = fileError('cannot write /srv/x', '/srv', systemError('EIO'));
    expect(error).toBeInstanceOf(LocalFileError);
    expect(error.hint).toBeUndefined();
  });
});

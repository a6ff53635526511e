import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { loadLibrary } from '../../src/util/load-library.ts';

describe('loadLibrary', () => {
  it('gives what the package exports', async () => {
    expect(await loadLibrary('node:path', () => import('node:path'))).toHaveProperty('join');
  });

  it('says what to install when it is not there', async () => {
    const name = '@example/not-installed';
    const refusal = await loadLibrary(name, () => import(name)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(refusal).toMatchObject({
      message: 'cannot load the package @example/not-installed',
      hint: "Install it with 'npm install @example/not-installed', on a platform that it supports.",
    });
    expect((refusal as ConfigError).cause).toBeInstanceOf(Error);
  });
});

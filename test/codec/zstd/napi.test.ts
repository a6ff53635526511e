import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

describe('the engine napi', () => {
  const copy = mkdtempSync(join(tmpdir(), 'seawall-napi-'));
  afterAll(() => rmSync(copy, { recursive: true }));

  it('says what to install when zstd-napi is missing', () => {
    // A copy of the sources outside the project, so that no package is found from there.
    const source = new URL('../../../src/', import.meta.url).pathname;
    for (const part of ['errors.ts', 'util/in-blocks.ts', 'codec/zstd/napi.ts', 'codec/zstd/engine.ts']) {
      cpSync(join(source, part), join(copy, part));
    }
    const script = `
      import { napiZstd } from './codec/zstd/napi.ts';
      try { napiZstd(3); } catch (error) { console.log(JSON.stringify([error.code, error.message, error.hint, error.cause.code])); }
    `;
    const run = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      cwd: copy,
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout)).toEqual([
      'CONFIG',
      'compression engine napi cannot be loaded',
      "Install it with 'npm install zstd-napi', or set the compression engine to node.",
      'MODULE_NOT_FOUND',
    ]);
  });

  it('is loaded only when it is chosen', () => {
    const script = `
      import { createRequire } from 'node:module';
      import { createCodec } from ${JSON.stringify(new URL('../../../src/codec/codecs.ts', import.meta.url).href)};
      const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('zstd-napi'));
      createCodec('zstd');
      const before = isLoaded();
      createCodec('zstd', { engine: 'napi' });
      console.log(before, isLoaded());
    `;
    const output = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      encoding: 'utf8',
    });
    expect(output.trim()).toBe('false true');
  });
});

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchSignals } from '../../src/cli/signals.ts';

describe('watchSignals', () => {
  it('aborts at the first signal, and takes one that comes at once for the same one', () => {
    const watch = watchSignals();
    expect(watch.signal.aborted).toBe(false);
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGTERM', 'SIGTERM');
    expect(watch.signal.aborted).toBe(true);
    expect(watch.received).toBe('SIGTERM');
    watch.stop();
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });
});

describe('SIGUSR2, which the launcher reads as the status 75', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'seawall-signals-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

  it('from somebody else does not end a wal-fetch, whose end would then pass for the end of the archive', async () => {
    using store = createSilentServer();
    const url = `s3://bucket?endpoint=http://127.0.0.1:${await store.port()}&region=x`;
    const main = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));
    const args = [main, 'wal-fetch', '000000010000000000000001', join(folder, 'out')];
    const child = spawn(process.execPath, [...args, '--repository', url], {
      env: { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    await store.asked;
    child.kill('SIGUSR2');
    // Of two signals the kernel delivers the one with the lower number first, which is SIGUSR2.
    child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  it('ends a process that hangs in a call of the system', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const module = (name: string) => JSON.stringify(new URL(`../../src/cli/${name}.ts`, import.meta.url).href);
    const program = `
      import { open } from 'node:fs';
      import { endProcess } from ${module('end-process')};
      import { watchSignals } from ${module('signals')};
      watchSignals();
      open(${JSON.stringify(pipe)}, 'r', () => undefined);
      await endProcess(75);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' });
    expect(await once(child, 'close')).toEqual([null, 'SIGUSR2']);
  });
});

/** Takes connections and never says a word. */
function createSilentServer() {
  const server = createServer();
  const asked = once(server, 'connection');
  server.listen(0, '127.0.0.1');
  const listening = once(server, 'listening');
  return {
    asked,
    async port() {
      await listening;
      return (server.address() as AddressInfo).port;
    },
    [Symbol.dispose]: () => server.close(),
  };
}

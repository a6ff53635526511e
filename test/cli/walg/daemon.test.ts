import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSeawall, startSeawall } from '../../support/seawall.ts';
import { waitFor } from '../../support/wait-for.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-daemon-'));
});
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

describe('seawall daemon', () => {
  const env = () => ({ SEAWALL_REPOSITORY: `file://${folder}`, PGDATA: folder });

  it.each([
    ['without a socket', 64, [], {}, 'missing required argument'],
    ['without a data directory', 78, ['socket'], { PGDATA: '' }, 'no data directory is named'],
    ['without a repository', 78, ['socket'], { SEAWALL_REPOSITORY: '' }, 'no repository is set'],
    ['on a path that is no socket', 73, ['precious'], {}, 'there is a file, and it is no socket'],
    ['with a malformed time-out', 78, ['socket'], { WALG_DAEMON_WAL_UPLOAD_TIMEOUT: 'soon' }, 'must be a duration'],
  ])('%s ends with %i, and says why', async (_, status, args, variables, message) => {
    writeFileSync(join(folder, 'precious'), '');
    const { exitCode, stderr } = await runSeawall(['daemon', ...args], {
      cwd: folder,
      env: { ...env(), ...variables },
    });
    expect(stderr).toContain(message);
    expect(exitCode).toBe(status);
  });

  it('ends with 0 at SIGTERM, and says that systemd is not answered', async () => {
    const daemon = startSeawall(['daemon', 'socket'], { cwd: folder, env: { ...env(), WATCHDOG_USEC: '30000000' } });
    let log = '';
    daemon.process.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    try {
      await waitFor('the daemon to listen', () => log.includes('the daemon listens'));
      expect(log).toContain('take WatchdogSec out of its unit');
    } finally {
      daemon.process.kill('SIGTERM');
    }
    expect((await daemon.finished).exitCode).toBe(0);
  });
});

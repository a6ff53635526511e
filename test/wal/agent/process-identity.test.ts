import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  formatIdentity,
  ownIdentity,
  type ProcessIdentity,
  parseIdentity,
  stateOf,
} from '../../../src/wal/agent/process-identity.ts';
import { startOtherProcess } from '../../support/other-process.ts';

describe('the identity of a process', () => {
  it('is its number with its start, on one line', async () => {
    const own = await ownIdentity();
    expect(own?.processId).toBe(process.pid);
    expect(own).toEqual(parseIdentity(formatIdentity(own as ProcessIdentity)));
  });

  it('tells whether the process is at work, stopped or gone', async () => {
    await using other = await startOtherProcess();
    const identity = parseIdentity(other.identity) as ProcessIdentity;
    expect(await stateOf(identity)).toBe('at work');
    await other.stop();
    expect(await stateOf(identity)).toBe('stopped');
    await other.goOn();
    expect(await stateOf(identity)).toBe('at work');
    await other.kill();
    expect(await stateOf(identity)).toBe('gone');
  });

  it('is not that of a later process with the same number', async () => {
    await using other = await startOtherProcess();
    const identity = parseIdentity(other.identity) as ProcessIdentity;
    expect(await stateOf({ ...identity, startTicks: String(Number(identity.startTicks) - 1) })).toBe('gone');
  });

  it('is read of programs whatever their name', async () => {
    const child = spawn('sh', ['-c', 'exec -a ") R 1 2" sleep 300 2>/dev/null || exec sleep 300'], { stdio: 'ignore' });
    await once(child, 'spawn');
    expect(await stateOf({ processId: child.pid ?? 0, startTicks: '0' })).toBe('gone');
    child.kill('SIGKILL');
  });

  it('is unknown where /proc shows the processes of another PID namespace', ({ skip }) => {
    const module = new URL('../../../src/wal/agent/process-identity.ts', import.meta.url).href;
    const program = `console.log(await (await import('${module}')).ownIdentity())`;
    const inNamespace = ['--pid', '--fork', process.execPath, '--input-type=module', '-e', program];
    const { status, stdout } = spawnSync('unshare', inNamespace, { encoding: 'utf8' });
    if (status !== 0) skip('this user may not make PID namespaces');
    expect(stdout).toBe('undefined\n');
  });

  it('is nothing else than these two numbers', () => {
    for (const text of ['', '1', '1 2', '0 2\n', '-1 2\n', '1 2 3\n', 'a b\n', '99999999999 1\n', '1 2\n\n']) {
      expect(parseIdentity(text), JSON.stringify(text)).toBeUndefined();
    }
  });
});

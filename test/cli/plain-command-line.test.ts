import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePlainCommandLine } from '../../src/cli/plain-command-line.ts';
import { parseCommandLine } from '../../src/cli/program.ts';
import { seawall } from '../../src/cli/seawall.ts';
import { walg } from '../../src/cli/walg/personality.ts';

const word = fc.constantFrom(
  'pg_wal/000000010000000000000001',
  '000000010000000000000001',
  '-x',
  '--',
  '',
  '--repository',
  '--repository=/srv/wal',
  's3://bucket/prefix',
  '--config',
  '--config=a.yaml',
  '--jobs',
  '4',
  '--agent',
  'on',
  '--no-agent',
  '--no-repository',
  '--help',
  '-V',
  '--unknown',
  '--push-deadline=1min',
  '--walg-s3-prefix=s3://bucket',
  '--turbo',
);

describe('the plain command line', () => {
  it('is read as commander reads it, or left to commander', async () => {
    const personality = fc.constantFrom(seawall, walg);
    const command = fc.constantFrom('wal-push', 'wal-fetch');
    await fc.assert(
      fc.asyncProperty(personality, command, fc.array(word, { maxLength: 6 }), async (addressee, name, words) => {
        const plain = await parsePlainCommandLine(addressee, [name, ...words]);
        if (plain === undefined) return;
        const { args, flags } = (await parseCommandLine(addressee, [name, ...words], '0')) ?? {};
        expect({ args: plain.args, flags: plain.flags }).toEqual({ args, flags });
      }),
      { numRuns: 1_000 },
    );
  });

  it('has the flags of the command and its arguments', async () => {
    const words = ['wal-push', 'pg_wal/x', '--repository', '/srv/wal', '--no-agent', '--config=c.yaml'];
    expect(await parsePlainCommandLine(seawall, words)).toMatchObject({
      args: ['pg_wal/x'],
      flags: { repository: '/srv/wal', agent: 'off', config: 'c.yaml' },
    });
    const walgWords = ['wal-fetch', 'x', 'y', '--walg-file-prefix', '/srv/wal'];
    expect(await parsePlainCommandLine(walg, walgWords)).toMatchObject({
      args: ['x', 'y'],
      flags: { WALG_FILE_PREFIX: '/srv/wal' },
    });
  });

  it('is left to commander when it is wrong or asks for help', async () => {
    for (const words of [[], ['a', 'b'], ['a', '--unknown'], ['a', '--help'], ['a', '--repository']]) {
      expect(await parsePlainCommandLine(seawall, ['wal-push', ...words])).toBeUndefined();
    }
  });
});

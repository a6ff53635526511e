import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/parse-yaml.ts';
import { ConfigError } from '../../src/errors.ts';

describe('parseYaml', () => {
  it('gives what the file holds, and nothing for an empty one', async () => {
    expect(await parseYaml('a: b\nc: 1\n', 'x.yaml')).toEqual({ a: 'b', c: 1 });
    expect(await parseYaml('a: 01\n', 'x.yaml', { schema: 'failsafe' })).toEqual({ a: '01' });
    expect(await parseYaml('', 'x.yaml')).toBeNull();
  });

  it.for([
    ['an open quote', 'jobs: 2\nlibsodiumKey: "hunter2\n', 'missing char in line'],
    ['a second colon', 'jobs: 2\nlibsodiumKey: a: hunter2\n', 'in line 2'],
    ['a tag', 'libsodiumKey: !hunter2\n', 'tag resolve failed in line 1'],
    ['an alias', 'libsodiumKey: *hunter2\n', 'an asterisk'],
    ['a header of a block', 'libsodiumKey: |hunter2\n', 'in line 1'],
    ['a percent sign', '%hunter2\na: b\n', 'missing char in line 2'],
    ['an at sign', 'libsodiumKey: @hunter2\n', 'in line 1'],
  ])('does not quote a line with %s, which may be a secret', async ([, text, words]) => {
    const refusal = await parseYaml(text ?? '', 'x.yaml').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    const { message, cause } = refusal as ConfigError;
    expect(message).toContain('cannot parse configuration file x.yaml: it is not YAML, ');
    expect(message).toContain(words);
    expect(message).not.toContain('hunter');
    expect(cause).toBeUndefined();
  });
});

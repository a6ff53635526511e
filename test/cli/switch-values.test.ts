import { expect, it } from 'vitest';
import { withoutSwitchValues } from '../../src/cli/switch-values.ts';

const switches = new Set(['--confirm', '--no-compress', '-p']);

it.each([
  ['--confirm=true', ['--confirm']],
  ['--confirm=T', ['--confirm']],
  ['-p=1', ['-p']],
  ['--no-compress=TRUE', ['--no-compress']],
  ['--confirm=false', []],
  ['-p=0', []],
  ['--confirm=perhaps', ['--confirm=perhaps']],
  ['--confirm=', ['--confirm=']],
  ['--after=true', ['--after=true']],
  ['confirm=true', ['confirm=true']],
])('the word %s becomes %j', (word, expected) => {
  expect(withoutSwitchValues(['delete', word, 'x'], switches)).toEqual(['delete', ...expected, 'x']);
});

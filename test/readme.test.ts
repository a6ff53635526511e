import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commands } from '../src/cli/commands/index.ts';
import { exitStatuses } from '../src/cli/exit-codes.ts';
import { walgCommands } from '../src/cli/walg/index.ts';
import { settingNames, settingsTable, variableOf } from '../src/config/settings.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it('holds the table of exit statuses', () => {
    const rows = Object.values(exitStatuses).map(({ status, meaning }) => `| ${status} | ${meaning} |`);
    expect(sectionOf('exit statuses')).toBe(['| status | meaning |', '|---|---|', ...rows].join('\n'));
  });

  it('holds the table of settings', () => {
    const rows = settingNames.map((name) => {
      const { doc, aliases, placeholder } = settingsTable[name];
      const others = aliases.length === 0 ? '' : ` Also ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`;
      const value = placeholder.slice(1, -1).replaceAll('|', ', ');
      return `| \`${name}\` | ${value} | ${defaultOf(name)} | ${doc}${others} |`;
    });
    expect(sectionOf('settings')).toBe(['| setting | value | default | |', '|---|---|---|---|', ...rows].join('\n'));
  });

  it('names every command', () => {
    expect(Object.keys(commands).filter((name) => !readme.includes(`seawall ${name}`))).toEqual([]);
  });

  it('names every command that answers as WAL-G', () => {
    const { coming = '' } = /## Coming from WAL-G(?<coming>.*?)\n## /s.exec(readme)?.groups ?? {};
    const names = Object.keys(walgCommands).filter((name) => name !== 'agent');
    expect(names.filter((name) => !coming.includes(`\`${name}\``))).toEqual([]);
  });

  it('derives the variables as it says', () => {
    expect(variableOf('fetchDeadline')).toBe('SEAWALL_FETCH_DEADLINE');
  });
});

function defaultOf(name: keyof typeof settingsTable): string {
  if (name === 'jobs') return 'one more than the cores, at most 4';
  return settingsTable[name].format(settingsTable[name].default as never);
}

function sectionOf(name: string): string | undefined {
  return readme.split(`<!-- ${name}: begin -->\n`)[1]?.split(`\n<!-- ${name}: end -->`)[0];
}

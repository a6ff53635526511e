import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';
import { type PostgresMajor, postgresMajors } from './postgres-binaries.ts';

/** Client programs of one major of PostgreSQL, which the npm packages do not bring along. */
export interface PostgresTools {
  readonly major: PostgresMajor;
  /** The path of a program, `pg_verifybackup` for example. */
  path(name: string): string;
}

const neededTools = ['pg_basebackup', 'pg_verifybackup'];

/**
 * A suite that needs PostgreSQL's own client programs, from the PATH or from where distributions put them. Where there are none, the
 * suite is one test that is skipped with the reason, or that fails when SEAWALL_TEST_REQUIRE names `tools`.
 */
export function describeWithTools(title: string, suite: (tools: PostgresTools) => void): void {
  const tools = findTools();
  describe(title, () => {
    if (tools !== undefined) return suite(tools);
    const absence = `no directory holds ${neededTools.join(' and ')} of PostgreSQL ${postgresMajors.join(', ')}`;
    it(`needs PostgreSQL's client programs: ${absence}`, ({ skip }) => {
      if ((process.env['SEAWALL_TEST_REQUIRE'] ?? '').split(',').includes('tools')) throw new Error(absence);
      skip(absence);
    });
  });
}

function findTools(): PostgresTools | undefined {
  const directories = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...globSync(['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin']),
  ];
  for (const directory of directories) {
    if (!neededTools.every((name) => existsSync(join(directory, name)))) continue;
    const version = spawnSync(join(directory, 'pg_verifybackup'), ['--version'], { encoding: 'utf8' }).stdout;
    const major = postgresMajors.find((candidate) => version.includes(` ${candidate}.`));
    if (major !== undefined) return { major, path: (name) => join(directory, name) };
  }
  return undefined;
}

import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ArchivingCluster, CommandWords } from './archiving-cluster.ts';
import { giveToServerUser } from './server-user.ts';

/** How a command may be told which repository to use. */
export const repositoryWays = [
  'a flag',
  'a variable',
  'the configuration file',
  'a link to the configuration file',
] as const;

/** A command that uses the cluster's repository first, and another one after a change. */
export interface ChangingRepository {
  readonly other: string;
  readonly before: CommandWords;
  readonly after: CommandWords;
  /** Changes what the words mean; the words themselves change apart from that. */
  change(): void;
}

/** The cluster must have no repository in its environment. */
export function prepareChange(
  way: (typeof repositoryWays)[number],
  { home, repository }: ArchivingCluster,
): ChangingRepository {
  const [other, config] = [join(home, 'other'), join(home, 'config.yaml')];
  mkdirSync(other);
  giveToServerUser(other);
  const withConfig = { flags: `--config ${config}` };
  switch (way) {
    case 'a flag':
      return {
        other,
        before: { flags: `--repository ${repository}` },
        after: { flags: `--repository ${other}` },
        change: () => undefined,
      };
    case 'a variable':
      return {
        other,
        before: { variables: `SEAWALL_REPOSITORY=${repository}` },
        after: { variables: `SEAWALL_REPOSITORY=${other}` },
        change: () => undefined,
      };
    case 'the configuration file':
      writeConfig(config, repository);
      return {
        other,
        before: withConfig,
        after: withConfig,
        change: () => writeFileSync(config, `repository: ${other}\n`),
      };
    case 'a link to the configuration file':
      writeConfig(join(home, 'one.yaml'), repository);
      writeConfig(join(home, 'other.yaml'), other);
      symlinkSync('one.yaml', config);
      return {
        other,
        before: withConfig,
        after: withConfig,
        change: () => {
          rmSync(config);
          symlinkSync('other.yaml', config);
        },
      };
  }
}

/** Where packages and images come with fixed times, all files have the same one. */
function writeConfig(path: string, repository: string): void {
  writeFileSync(path, `repository: ${repository}\n`);
  utimesSync(path, 1, 1);
  giveToServerUser(path);
}

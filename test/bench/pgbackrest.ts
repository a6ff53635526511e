import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import { runCommand } from '../support/run-command.ts';
import { type Commands, makeFolder, type Place } from './contestant.ts';

/** pgBackRest with a repository in a directory, and its stanza made. */
export async function pgbackrest(
  { folder, dataDirectory, compression }: Place,
  options: readonly string[],
): Promise<Commands> {
  const configuration = join(folder, 'pgbackrest.conf');
  const path = (name: string) => makeFolder(folder, name);
  writeFileSync(
    configuration,
    [
      '[global]',
      `repo1-path=${path('repository')}`,
      `spool-path=${path('spool')}`,
      `lock-path=${path('lock')}`,
      `log-path=${path('log')}`,
      'log-level-file=off',
      `compress-type=${compression.codec === 'zstd' ? 'zst' : 'lz4'}`,
      `compress-level=${compression.level}`,
      'archive-get-queue-max=512MiB',
      ...options,
      '[bench]',
      `pg1-path=${dataDirectory}`,
    ].join('\n'),
  );
  giveTreeToServerUser(folder);
  const command = ['--config', configuration, '--stanza=bench'];
  const created = await runCommand('pgbackrest', [...command, '--no-online', 'stanza-create'], {
    asServerUser: true,
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: folder,
  });
  if (created.exitCode !== 0) throw new Error(`pgbackrest stanza-create: ${created.stdout}${created.stderr}`);
  return {
    archiveCommand: `pgbackrest ${command.join(' ')} archive-push "%p"`,
    restoreCommand: `pgbackrest ${command.join(' ')} archive-get %f "%p"`,
  };
}

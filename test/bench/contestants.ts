import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import { runCommand } from '../support/run-command.ts';
import { seawallPath } from '../support/seawall.ts';

/** Where one contestant works in one repetition. */
export interface Place {
  /** Its own folder: repository, spool, configuration. */
  readonly folder: string;
  readonly dataDirectory: string;
  /** zstd's level. */
  readonly level: number;
}

/** The commands of one contestant at one place. */
export interface Commands {
  readonly archiveCommand: string;
  readonly restoreCommand: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Somebody who archives and restores. */
export interface Contestant {
  readonly name: string;
  /** The program that must be on the PATH; ours is always there. */
  readonly program: string | undefined;
  /** Whether it is a peer, or a yardstick that is not safe (`cp` syncs nothing). */
  readonly kind: 'ours' | 'peer' | 'yardstick';
  /** Makes the folders and files that it needs. */
  prepare(place: Place): Promise<Commands> | Commands;
}

export const contestants: readonly Contestant[] = [
  { name: 'cp', program: 'cp', kind: 'yardstick', prepare: ({ folder }) => copyInto(folder, '', 'cp "%p"', 'cp') },
  {
    name: 'zstd per call',
    program: 'zstd',
    kind: 'peer',
    prepare: ({ folder, level }) => copyInto(folder, '.zst', `zstd -q -${level} "%p" -o`, 'zstd -q -d'),
  },
  { name: 'seawall', program: undefined, kind: 'ours', prepare: (place) => seawall(place, '') },
  { name: 'seawall --no-agent', program: undefined, kind: 'ours', prepare: (place) => seawall(place, ' --no-agent') },
  {
    name: 'pgbackrest',
    program: 'pgbackrest',
    kind: 'peer',
    prepare: async (place) => await pgbackrest(place, ['archive-async=n']),
  },
  {
    name: 'pgbackrest async x2',
    program: 'pgbackrest',
    kind: 'peer',
    prepare: async (place) => await pgbackrest(place, ['archive-async=y', 'process-max=2']),
  },
  { name: 'wal-g per call', program: 'wal-g', kind: 'peer', prepare: (place) => walg(place, 'wal-g') },
  { name: 'walrus per call', program: 'walrus', kind: 'peer', prepare: (place) => walg(place, 'walrus') },
];

/** Whether its program is on the PATH. */
export function isPresent({ program }: Contestant): boolean {
  return program === undefined || spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

function copyInto(folder: string, suffix: string, push: string, fetch: string): Commands {
  const repository = makeFolder(folder, 'repository');
  return {
    archiveCommand: `${push} ${repository}/%f${suffix}`,
    restoreCommand: `test -e ${repository}/%f${suffix} && ${fetch} ${repository}/%f${suffix} ${suffix === '' ? '' : '-o '}"%p"`,
  };
}

function seawall({ folder, level }: Place, flags: string): Commands {
  const repository = makeFolder(folder, 'repository');
  const options = `--repository file://${repository} --compression-level ${level}${flags}`;
  return {
    archiveCommand: `${seawallPath} wal-push "%p" ${options}`,
    restoreCommand: `${seawallPath} wal-fetch "%f" "%p" ${options.replace(/ --compression-level \d+/, '')}`,
    environment: { SEAWALL_NODE: process.execPath },
  };
}

async function pgbackrest({ folder, dataDirectory, level }: Place, options: readonly string[]): Promise<Commands> {
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
      'compress-type=zst',
      `compress-level=${level}`,
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

function walg({ folder }: Place, program: string): Commands {
  return {
    archiveCommand: `${program} wal-push "%p"`,
    restoreCommand: `${program} wal-fetch "%f" "%p"`,
    environment: { WALG_FILE_PREFIX: makeFolder(folder, 'repository'), WALG_COMPRESSION_METHOD: 'zstd', PGDATA: '' },
  };
}

function makeFolder(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

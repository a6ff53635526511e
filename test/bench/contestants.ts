import { spawnSync } from 'node:child_process';
import { seawallPath } from '../support/seawall.ts';
import { type Commands, type Contestant, makeFolder, type Place } from './contestant.ts';
import { pgbackrest } from './pgbackrest.ts';
import { walg, walgDaemon } from './walg.ts';

/** 32 bytes that are no secret. */
const benchKey = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const encrypted = { SEAWALL_LIBSODIUM_KEY: benchKey, SEAWALL_LIBSODIUM_KEY_TRANSFORM: 'hex' };

export const contestants: readonly Contestant[] = [
  { name: 'cp', programs: ['cp'], kind: 'yardstick', prepare: ({ folder }) => copyInto(folder, '', 'cp "%p"', 'cp') },
  {
    name: 'zstd per call',
    programs: ['zstd'],
    kind: 'peer',
    codec: 'zstd',
    prepare: ({ folder, compression }) =>
      copyInto(folder, '.zst', `zstd -q -${compression.level} "%p" -o`, 'zstd -q -d'),
  },
  { name: 'seawall', programs: [], kind: 'ours', prepare: (place) => seawall(place, '') },
  { name: 'seawall --no-agent', programs: [], kind: 'ours', prepare: (place) => seawall(place, ' --no-agent') },
  { name: 'seawall, libsodium', programs: [], kind: 'ours', prepare: (place) => seawall(place, '', encrypted) },
  {
    name: 'pgbackrest',
    programs: ['pgbackrest'],
    kind: 'peer',
    prepare: (place) => pgbackrest(place, ['archive-async=n']),
  },
  {
    name: 'pgbackrest async x2',
    programs: ['pgbackrest'],
    kind: 'peer',
    prepare: (place) => pgbackrest(place, ['archive-async=y', 'process-max=2']),
  },
  { name: 'wal-g per call', programs: ['wal-g'], kind: 'peer', prepare: (place) => walg(place, 'wal-g') },
  {
    name: 'wal-g daemon',
    programs: ['wal-g', 'walg-daemon-client'],
    kind: 'peer',
    prepare: (place) => walgDaemon(place, 'wal-g', 'walg-daemon-client'),
  },
  { name: 'walrus per call', programs: ['walrus'], kind: 'peer', prepare: (place) => walg(place, 'walrus') },
  {
    name: 'walrus daemon',
    programs: ['walrus', 'walrus-daemon-client'],
    kind: 'peer',
    prepare: (place) => walgDaemon(place, 'walrus', 'walrus-daemon-client'),
  },
];

/** Whether its programs are on the PATH. */
export function isPresent({ programs }: Contestant): boolean {
  return programs.every((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0);
}

function copyInto(folder: string, suffix: string, push: string, fetch: string): Commands {
  const repository = makeFolder(folder, 'repository');
  return {
    archiveCommand: `${push} ${repository}/%f${suffix}`,
    restoreCommand: `test -e ${repository}/%f${suffix} && ${fetch} ${repository}/%f${suffix} ${suffix === '' ? '' : '-o '}"%p"`,
  };
}

function seawall(place: Place, flags: string, environment: Readonly<Record<string, string>> = {}): Commands {
  const { codec, level } = place.compression;
  const repository = place.repositoryUrl ?? `file://${makeFolder(place.folder, 'repository')}`;
  const options = `--repository ${repository}${flags}`;
  return {
    archiveCommand: `${seawallPath} wal-push "%p" ${options} --compression ${codec} --compression-level ${level}`,
    restoreCommand: `${seawallPath} wal-fetch "%f" "%p" ${options}`,
    environment: { ...cloudEnvironment(), SEAWALL_NODE: process.execPath, ...environment },
  };
}

/** What reaches a repository that is no directory. */
function cloudEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => /^(AWS|AZURE|GOOGLE|STORAGE|SEAWALL)_/.test(name));
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']));
}

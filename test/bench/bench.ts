/**
 * Measures Seawall beside its peers, alternating, in one run on one machine: `npm run bench -- --help`. Nothing else should run
 * meanwhile. Ratios count, not seconds.
 */
import { chmodSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../src/cli/output.ts';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import { makeServerDirectory } from '../support/server-user.ts';
import { type CallTimes, measureCalls } from './calls.ts';
import { type Commands, type Contestant, contestants, isPresent } from './contestants.ts';
import { measureDrain } from './drain.ts';
import { measureFloor } from './floor.ts';
import { type Backlog, makeBacklog } from './make-wal.ts';
import { median } from './median.ts';
import { type PeakMemory, watchMemory } from './peak-memory.ts';
import { measureRecovery } from './recovery.ts';

const help = `npm run bench -- [--segments 64] [--repetitions 3] [--level 3] [--only NAME ...] [--json]

Drains a backlog through PostgreSQL's own archiver, recovers through it, and times single calls, beside every peer that is on the
PATH (zstd, pgbackrest, wal-g, walrus).`;

const { values: options } = parseArgs({
  options: {
    segments: { type: 'string', default: '64' },
    repetitions: { type: 'string', default: '3' },
    level: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Result {
  readonly name: string;
  readonly kind: Contestant['kind'];
  readonly drainSeconds: number[];
  readonly recoverySeconds: number[];
}

if (options.help) console.log(help);
else await run(Number(options.segments), Number(options.repetitions), Number(options.level));

async function run(segmentCount: number, repetitions: number, level: number): Promise<void> {
  const chosen = contestants.filter(({ name }) => options.only === undefined || options.only.includes(name));
  const present = chosen.filter(isPresent);
  const absent = chosen.filter((contestant) => !isPresent(contestant)).map(({ name }) => name);
  const backlog = await makeBacklog(segmentCount);
  try {
    const paths = backlog.segments.map((name) => join(backlog.fullDirectory, 'pg_wal', name));
    const floorSeconds: number[] = [];
    const results: Result[] = present.map(({ name, kind }) => ({ name, kind, drainSeconds: [], recoverySeconds: [] }));
    for (let repetition = 0; repetition < repetitions; repetition++) {
      floorSeconds.push(await measureFloor(paths, level));
      for (const [index, contestant] of present.entries()) {
        await measureContestant(contestant, backlog, level, results[index]);
        progress(`${repetition + 1} of ${repetitions}: ${contestant.name}`);
      }
    }
    const memory = await measureMemory(backlog, level);
    const calls = await measureCalls(level);
    const floor = median(floorSeconds);
    const report = {
      segments: backlog.segments.length,
      level,
      floorSeconds: floor,
      results,
      calls,
      memoryMib: memory,
      absent,
    };
    console.log(options.json ? JSON.stringify(report, undefined, 2) : formatReport(report));
  } finally {
    backlog.remove();
  }
}

type Report = {
  readonly segments: number;
  readonly level: number;
  readonly floorSeconds: number;
  readonly results: readonly Result[];
  readonly calls: CallTimes;
  readonly memoryMib: PeakMemory;
  readonly absent: readonly string[];
};

/** One drain, and then the recovery from what it stored. */
async function measureContestant(
  contestant: Contestant,
  backlog: Backlog,
  level: number,
  result: Result | undefined,
): Promise<void> {
  await withPlace(contestant, backlog, level, async (dataDirectory, commands) => {
    result?.drainSeconds.push(await measureDrain(dataDirectory, commands));
    rmSync(dataDirectory, { recursive: true });
    layDown(backlog.baseDirectory, dataDirectory);
    result?.recoverySeconds.push(await measureRecovery(dataDirectory, commands));
  });
}

async function withPlace(
  contestant: Contestant,
  backlog: Backlog,
  level: number,
  use: (dataDirectory: string, commands: Commands) => Promise<void>,
): Promise<void> {
  const folder = makeServerDirectory('seawall-bench-');
  try {
    const dataDirectory = join(folder, 'data');
    layDown(backlog.fullDirectory, dataDirectory);
    const place = join(folder, 'contestant');
    mkdirSync(place, { mode: 0o700 });
    const commands = await contestant.prepare({ folder: place, dataDirectory, level });
    giveTreeToServerUser(place);
    await use(dataDirectory, commands);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function layDown(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
  // PostgreSQL starts in no directory that others may enter; cpSync does not copy the mode of the outermost one.
  chmodSync(to, 0o700);
  giveTreeToServerUser(to);
}

/** A run of its own: watching costs CPU. */
async function measureMemory(backlog: Backlog, level: number): Promise<PeakMemory> {
  const ours = contestants.filter(({ kind }) => kind === 'ours');
  const watch = watchMemory({
    agent: /dist\/cli\/main\.js agent/,
    'wal-push': /dist\/cli\/main\.js wal-push/,
    'wal-fetch': /dist\/cli\/main\.js wal-fetch/,
  });
  for (const contestant of ours) await measureContestant(contestant, backlog, level, undefined);
  return watch.stop();
}

function formatReport(report: Report): string {
  const { results, calls, memoryMib, floorSeconds, absent } = report;
  const best = (pick: (result: Result) => number[]): number =>
    Math.min(...results.filter(({ kind }) => kind === 'peer').map((result) => median(pick(result))));
  const bestDrain = best(({ drainSeconds }) => drainSeconds);
  const cp = results.find(({ name }) => name === 'cp');
  const cpRecovery = cp === undefined ? Number.NaN : median(cp.recoverySeconds);
  const rows = results.map(({ name, drainSeconds, recoverySeconds }) => {
    const drain = median(drainSeconds);
    const recovery = median(recoverySeconds);
    return [
      name,
      seconds(drain),
      ratio(drain / bestDrain),
      ratio(drain / floorSeconds),
      seconds(recovery),
      ratio(recovery / cpRecovery),
    ];
  });
  const call = (name: string, ms: number, base: number, of: string): string[] => [
    name,
    `${ms.toFixed(1)} ms`,
    `${ratio(ms / base)} ${of}`,
  ];
  return [
    `${report.segments} segments, zstd ${report.level}; medians of ${results[0]?.drainSeconds.length} alternating runs`,
    `floor (the same bytes through node:zlib in memory on all cores): ${seconds(floorSeconds)}`,
    '',
    formatTable(['', 'drain', 'x best peer', 'x floor', 'recovery', 'x cp'], rows),
    '',
    formatTable(
      ['one call', '', ''],
      [
        call('sh -c :', calls.shell, calls.shell, 'sh'),
        call('hot wal-push', calls.hot, calls.shell, 'sh'),
        call('node -e 0', calls.node, calls.node, 'node'),
        call('cold wal-push', calls.cold, calls.node, 'node'),
        call('cold wal-push less compression', calls.cold - calls.compression, calls.node, 'node'),
      ],
    ),
    '',
    formatTable(
      ['peak memory', ''],
      Object.entries(memoryMib).map(([name, mib]) => [name, `${mib.toFixed(0)} MiB`]),
    ),
    ...(absent.length === 0 ? [] : ['', `not on the PATH, so not measured: ${absent.join(', ')}`]),
  ].join('\n');
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function ratio(value: number): string {
  return value.toFixed(2);
}

function progress(text: string): void {
  if (!options.json) console.error(text);
}

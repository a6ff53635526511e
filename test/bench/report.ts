import { formatTable } from '../../src/cli/output.ts';
import type { CallTimes } from './calls.ts';
import type { ChainTimes } from './chain.ts';
import { type Compression, describeCompression } from './compression.ts';
import type { Contestant } from './contestant.ts';
import { median } from './median.ts';
import type { PeakMemory } from './peak-memory.ts';

/** Seconds of one contestant, one figure per repetition. */
export interface Times {
  readonly name: string;
  readonly kind: Contestant['kind'];
  readonly seconds: number[];
}

/** Drains with one compression. */
export interface DrainReport {
  readonly compression: Compression;
  readonly floorSeconds: number[];
  readonly contestants: readonly Times[];
}

/** What one run has measured; what was not asked for is missing. */
export interface Report {
  readonly segments: number;
  readonly drains?: readonly DrainReport[];
  readonly recovery?: readonly Times[];
  readonly chains?: readonly ChainTimes[];
  readonly calls?: CallTimes;
  readonly memoryMib?: PeakMemory;
  /** Contestants whose programs are not on the PATH. */
  readonly absent: readonly string[];
}

/** The tables of a run: medians, and ratios between them. */
export function formatReport(report: Report): string {
  const { drains = [], recovery, chains, calls, memoryMib, absent } = report;
  return [
    ...drains.map((drain) => formatDrain(report.segments, drain)),
    ...(recovery === undefined ? [] : [formatRecovery(report.segments, recovery)]),
    ...(chains === undefined ? [] : [formatChains(chains)]),
    ...(calls === undefined ? [] : [formatCalls(calls)]),
    ...(memoryMib === undefined ? [] : [formatMemory(memoryMib)]),
    ...(absent.length === 0 ? [] : [`not on the PATH, so not measured: ${absent.join(', ')}`]),
  ].join('\n\n');
}

function formatDrain(segments: number, { compression, floorSeconds, contestants }: DrainReport): string {
  const floor = median(floorSeconds);
  const peers = contestants.filter(({ kind }) => kind === 'peer').map((times) => median(times.seconds));
  const rows = contestants.map(({ name, seconds }) => {
    const drain = median(seconds);
    return [name, inSeconds(drain), ratio(drain / Math.min(...peers)), ratio(drain / floor)];
  });
  const heading = `drain of ${segments} segments, ${describeCompression(compression)}`;
  return [
    formatTable([heading, 'median', 'x best peer', 'x floor'], rows),
    `floor (the same bytes compressed in memory on all cores): ${inSeconds(floor)}`,
  ].join('\n');
}

function formatRecovery(segments: number, contestants: readonly Times[]): string {
  const yardstick = contestants.find(({ name }) => name === 'cp');
  const base = yardstick === undefined ? Number.NaN : median(yardstick.seconds);
  const rows = contestants.map(({ name, seconds }) => {
    const recovery = median(seconds);
    return [name, inSeconds(recovery), ratio(recovery / base)];
  });
  return formatTable([`recovery through ${segments} segments`, 'median', 'x cp'], rows);
}

function formatChains(chains: readonly ChainTimes[]): string {
  const rows = chains.flatMap(({ changedPercent, fullSeconds, chainSeconds }) => [
    ['full backup', inSeconds(fullSeconds), ratio(1)],
    [
      `full backup and five deltas of ${changedPercent} % each`,
      inSeconds(chainSeconds),
      ratio(chainSeconds / fullSeconds),
    ],
  ]);
  return formatTable(['restore of 512 MiB', 'median', 'x full'], rows);
}

function formatCalls(calls: CallTimes): string {
  const row = (name: string, ms: number, base: number, of: string): string[] => [
    name,
    `${ms.toFixed(1)} ms`,
    `${ratio(ms / base)} x ${of}`,
  ];
  return formatTable(
    ['one call', '', ''],
    [
      row('sh -c :', calls.shell, calls.shell, 'sh'),
      row('hot wal-push', calls.hot, calls.shell, 'sh'),
      row('node -e 0', calls.node, calls.node, 'node'),
      row('cold wal-push', calls.cold, calls.node, 'node'),
      row('cold wal-push less compression', calls.cold - calls.compression, calls.node, 'node'),
    ],
  );
}

function formatMemory(memoryMib: PeakMemory): string {
  const rows = Object.entries(memoryMib).map(([name, mib]) => [name, `${mib.toFixed(0)} MiB`]);
  return formatTable(['peak memory of one process', ''], rows);
}

function inSeconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function ratio(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : '-';
}

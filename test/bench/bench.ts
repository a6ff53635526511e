/**
 * Measures Seawall beside its peers, alternating, in one run on one machine: `npm run bench -- --help`. Nothing else should run
 * meanwhile. Ratios count, not seconds.
 */
import { parseArgs } from 'node:util';
import { measureCalls } from './calls.ts';
import { type ChainTimes, measureChain } from './chain.ts';
import { type Compression, measureFloor, parseCompression, pathsOf } from './compression.ts';
import type { Contestant } from './contestant.ts';
import { contestants, isPresent } from './contestants.ts';
import { measureDrain } from './drain.ts';
import { type Backlog, makeBacklog } from './make-wal.ts';
import { type PeakMemory, watchMemory } from './peak-memory.ts';
import { openWorkplace, warmMemory } from './place.ts';
import { measureRecovery } from './recovery.ts';
import { type DrainReport, formatReport, type Report, type Times } from './report.ts';

const help = `npm run bench -- [--work drain|recovery|chain|calls|memory]... [--compression zstd:3|zstd:1|lz4]...
                 [--segments 64] [--repetitions 3] [--only NAME]... [--repository URL] [--json]

Drains a backlog through PostgreSQL's own archiver, recovers through it, restores a chain of deltas, times single calls and
watches the memory, beside every peer that is on the PATH (zstd, pgbackrest, wal-g, walrus and the clients of their daemons).
--repository gives Seawall another repository than a directory; its objects stay there.`;

const { values: options } = parseArgs({
  options: {
    work: { type: 'string', multiple: true, default: ['drain', 'recovery', 'chain', 'calls', 'memory'] },
    compression: { type: 'string', multiple: true, default: ['zstd:3', 'zstd:1', 'lz4'] },
    segments: { type: 'string', default: '64' },
    repetitions: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true },
    repository: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(help);
else await run();

async function run(): Promise<void> {
  const chosen = contestants.filter(({ name }) => options.only === undefined || options.only.includes(name));
  const present = chosen.filter(isPresent);
  const absent = chosen.filter((contestant) => !isPresent(contestant)).map(({ name }) => name);
  const compressions = options.compression.map(parseCompression);
  const [first] = compressions;
  if (first === undefined) throw new Error('no compression is given');
  using backlog = await makeBacklog(Number(options.segments));
  const isWanted = (work: string): boolean => options.work.includes(work);

  // Before this process itself takes memory: to start another one from a large one takes longer than a call.
  const calls = isWanted('calls') ? { calls: await measureCalls(first) } : {};
  const drains: DrainReport[] = [];
  for (const compression of isWanted('drain') ? compressions : []) {
    drains.push(await compareDrains(present, backlog, compression));
  }
  const report: Report = {
    segments: backlog.segments.length,
    drains,
    ...(isWanted('recovery') ? { recovery: await compareRecoveries(present, backlog, first) } : {}),
    ...(isWanted('chain') ? { chains: await compareChains() } : {}),
    ...calls,
    ...(isWanted('memory') ? { memoryMib: await measureMemory(present, backlog, first) } : {}),
    absent,
  };
  console.log(options.json ? JSON.stringify(report, undefined, 2) : formatReport(report));
}

async function compareDrains(
  present: readonly Contestant[],
  backlog: Backlog,
  compression: Compression,
): Promise<DrainReport> {
  const able = present.filter(({ codec }) => codec === undefined || codec === compression.codec);
  const floorSeconds: number[] = [];
  const paths = pathsOf(backlog.fullDirectory, backlog.segments);
  const times = await alternate('drain', able, async (contestant) => {
    if (contestant === able[0]) floorSeconds.push(await measureFloor(paths, compression));
    using workplace = await openWorkplace(contestant, backlog, compression, options.repository);
    warmMemory();
    return await measureDrain(workplace.dataDirectory, workplace.commands);
  });
  return { compression, floorSeconds, contestants: times };
}

/** Each first archives the backlog itself, which does not count. */
async function compareRecoveries(
  present: readonly Contestant[],
  backlog: Backlog,
  compression: Compression,
): Promise<Times[]> {
  return await alternate('recovery', present, async (contestant) => {
    using workplace = await openWorkplace(contestant, backlog, compression, options.repository);
    await measureDrain(workplace.dataDirectory, workplace.commands);
    workplace.layDownBase();
    warmMemory();
    return await measureRecovery(workplace.dataDirectory, workplace.commands);
  });
}

/** With deltas of a quiet and of a busy day. */
async function compareChains(): Promise<ChainTimes[]> {
  const chains: ChainTimes[] = [];
  for (const changedPercent of [2, 5]) chains.push(await measureChain(Number(options.repetitions), changedPercent));
  return chains;
}

/** One after the other, and that as often as there are repetitions: what disturbs the machine for a while disturbs all alike. */
async function alternate(
  work: string,
  present: readonly Contestant[],
  measure: (contestant: Contestant) => Promise<number>,
): Promise<Times[]> {
  const times = present.map(({ name, kind }): Times => ({ name, kind, seconds: [] }));
  const repetitions = Number(options.repetitions);
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    for (const [index, contestant] of present.entries()) {
      const seconds = await measure(contestant);
      times[index]?.seconds.push(seconds);
      if (!options.json) {
        console.error(`${work}, ${repetition} of ${repetitions}: ${contestant.name} ${seconds.toFixed(2)} s`);
      }
    }
  }
  return times;
}

/** A run of its own: watching costs CPU. */
async function measureMemory(
  present: readonly Contestant[],
  backlog: Backlog,
  compression: Compression,
): Promise<PeakMemory> {
  const watch = watchMemory({
    'seawall agent': /bundle\/main\.js agent/,
    'seawall wal-push': /bundle\/main\.js wal-push/,
    'seawall wal-fetch': /bundle\/main\.js wal-fetch/,
    'pgbackrest archive-push': /pgbackrest .*archive-push/,
    'pgbackrest archive-get': /pgbackrest .*archive-get/,
    'wal-g': /(^|\/)wal-g /,
    walrus: /(^|\/)walrus /,
  });
  for (const contestant of present.filter(({ kind }) => kind !== 'yardstick')) {
    using workplace = await openWorkplace(contestant, backlog, compression, options.repository);
    await measureDrain(workplace.dataDirectory, workplace.commands);
    workplace.layDownBase();
    await measureRecovery(workplace.dataDirectory, workplace.commands);
  }
  return watch.stop();
}

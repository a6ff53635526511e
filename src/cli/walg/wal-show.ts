import { formatLsn, toLsn } from '../../postgres/lsn.ts';
import { formatSegmentName } from '../../postgres/wal-name.ts';
import type { Repository } from '../../repository/repository.ts';
import { showTimelines, type TimelineReport } from '../../verify/show-timelines.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { switchOption } from '../option-values.ts';
import { type BackupLine, detailedLine } from './backup-details.ts';
import { type BoxedColumn, boxTable, formatWalgJson } from './print-lines.ts';

const columns: readonly BoxedColumn[] = [
  { heading: 'TLI', align: 'right' },
  { heading: 'Parent TLI', align: 'right' },
  { heading: 'Switchpoint LSN' },
  { heading: 'Start segment' },
  { heading: 'End segment' },
  { heading: 'Segment range', align: 'right' },
  { heading: 'Segments count', align: 'right' },
  { heading: 'Status' },
];

/** More names would be of no use, and a stray segment far away must not fill the memory with those of a gap. */
const listedMissingLimit = 100_000n;

/** The archived WAL by timeline, its gaps, and the backups in it. */
export const walShowCommand: CommandDefinition = {
  name: 'wal-show',
  arguments: [],
  summary: 'show the archived WAL by timeline, its gaps and its backups',
  settings: [],
  options: [
    { flags: '--detailed-json', description: 'print JSON, with the names of what is missing and the backups' },
    { flags: '--without-backups', description: 'leave the backups out' },
  ],
  examples: ['wal-g wal-show', 'wal-g wal-show --detailed-json'],
  async run(call) {
    await using repository = await call.openRepository();
    const { timelines, segmentSizeBytes } = await showTimelines(repository, call.context);
    const withBackups = !switchOption(call, 'withoutBackups');
    if (switchOption(call, 'detailedJson')) {
      const found: object[] = [];
      for (const timeline of timelines) {
        const backups = withBackups ? await backupLines(repository, timeline, call) : [];
        found.push(asJson(timeline, backups, segmentSizeBytes, call));
      }
      call.print(formatWalgJson(found, false));
      return;
    }
    const head = withBackups ? [...columns, { heading: 'Backups count', align: 'right' } as const] : columns;
    call.print(
      boxTable(
        head,
        timelines.map((timeline) => rowOf(timeline).slice(0, head.length)),
      ),
    );
  },
};

async function backupLines(
  repository: Repository,
  { backups }: TimelineReport,
  { context }: CommandCall,
): Promise<BackupLine[]> {
  const lines: BackupLine[] = [];
  for (const backup of backups) lines.push(await detailedLine(repository, backup, { signal: context.signal }));
  return lines;
}

function asJson(
  report: TimelineReport,
  backups: readonly BackupLine[],
  segmentSizeBytes: number,
  { context }: CommandCall,
): object {
  const missing = missingSegments(report, segmentSizeBytes);
  if (BigInt(missing.length) < missingCount(report)) {
    const fields = { timeline: report.timeline, listed: missing.length, missing: String(missingCount(report)) };
    context.log.warn(fields, 'more segments are missing than are listed');
  }
  return {
    id: report.timeline,
    parent_id: report.parent?.timeline ?? 0,
    switch_point_lsn: report.parent?.switchLsn ?? 0,
    start_segment: report.firstSegment,
    end_segment: report.lastSegment,
    segments_count: report.segmentCount,
    missing_segments: missing,
    ...(backups.length === 0 ? {} : { backups }),
    segment_range_size: report.rangeLength,
    status: statusOf(report),
  };
}

/** The newest first, as WAL-G lists them. */
function missingSegments({ timeline, gaps }: TimelineReport, segmentSizeBytes: number): string[] {
  const names: string[] = [];
  for (const { first, last } of gaps.toReversed()) {
    for (let segmentNumber = last; segmentNumber >= first; segmentNumber -= 1n) {
      if (BigInt(names.length) >= listedMissingLimit) return names;
      names.push(formatSegmentName({ timeline, segmentNumber }, segmentSizeBytes));
    }
  }
  return names;
}

function missingCount({ rangeLength, segmentCount }: TimelineReport): bigint {
  return rangeLength - BigInt(segmentCount);
}

function statusOf({ gaps }: TimelineReport): string {
  return gaps.length === 0 ? 'OK' : 'LOST_SEGMENTS';
}

function rowOf(report: TimelineReport): string[] {
  return [
    String(report.timeline),
    String(report.parent?.timeline ?? 0),
    formatLsn(report.parent?.switchLsn ?? toLsn(0n)),
    report.firstSegment,
    report.lastSegment,
    String(report.rangeLength),
    String(report.segmentCount),
    statusOf(report),
    String(report.backups.length),
  ];
}

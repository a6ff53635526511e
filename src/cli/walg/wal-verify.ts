import { ConfigError, UsageError } from '../../errors.ts';
import { connectPostgres } from '../../postgres/connection.ts';
import { type CurrentPosition, readCurrentPosition } from '../../postgres/current-position.ts';
import { parseLsn } from '../../postgres/lsn.ts';
import { formatSegmentName } from '../../postgres/wal-name.ts';
import type { Repository } from '../../repository/repository.ts';
import {
  type IntegrityReport,
  type TimelineCheckReport,
  verifyIntegrity,
  verifyTimeline,
} from '../../verify/verify-wal.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { switchOption, textOption } from '../option-values.ts';
import { type BoxedColumn, boxTable, formatWalgJson } from './print-lines.ts';

/** A check's answer, as JSON and as text. */
interface CheckResult {
  readonly json: { readonly status: string; readonly details: unknown };
  readonly text: string;
}

const integrityColumns: readonly BoxedColumn[] = [
  { heading: 'TLI', align: 'right' },
  { heading: 'Start' },
  { heading: 'End' },
  { heading: 'Segments count', align: 'right' },
  { heading: 'Status', align: 'right' },
];

/** Whether the archived WAL leads from the backups to the server, and no further. */
export const walVerifyCommand: CommandDefinition = {
  name: 'wal-verify',
  arguments: [{ notation: '<checks...>', description: 'integrity, timeline' }],
  summary: 'look for gaps in the archived WAL, and for another primary',
  description:
    'integrity: whether every segment is there from the oldest backup that is not permanent to the server. timeline: whether the server is on the highest timeline that was archived. It goes by names. The exit status is 0 whatever the checks say, as with WAL-G: look at the answer.',
  settings: [],
  options: [
    { flags: '--json', description: 'print JSON' },
    { flags: '--timeline <number>', description: 'with --lsn: the timeline, instead of asking the server' },
    { flags: '--lsn <lsn>', description: 'with --timeline: the position, instead of asking the server' },
    { flags: '--backup-name <backup>', description: 'integrity: from this backup (or LATEST) on' },
  ],
  examples: ['wal-g wal-verify integrity timeline --json', 'wal-g wal-verify integrity --timeline 1 --lsn 0/80000D0'],
  async run(call) {
    const checks = new Set(call.args);
    for (const check of checks) {
      if (check in checkers) continue;
      throw new UsageError(`invalid check specified: ${check}`, { hint: 'Say integrity, timeline, or both.' });
    }
    const current = givenPosition(call) ?? (await askServer(call));
    await using repository = await call.openRepository();
    const results: Record<string, CheckResult> = {};
    // In the order of the names, whatever order they were given in.
    for (const [name, check] of Object.entries(checkers)) {
      if (checks.has(name)) results[name] = await check(repository, current, call);
    }
    if (switchOption(call, 'json')) {
      const entries = Object.entries(results).map(([name, { json }]) => [name, json]);
      call.print(formatWalgJson(Object.fromEntries(entries), false));
      return;
    }
    const lines = Object.entries(results).flatMap(([name, { json, text }]) => [
      `[wal-verify] ${name} check status: ${json.status}`,
      `[wal-verify] ${name} check details:`,
      text,
    ]);
    call.print(lines.join('\n'));
  },
};

type Checker = (repository: Repository, current: CurrentPosition, call: CommandCall) => Promise<CheckResult>;

const checkers: Readonly<Record<string, Checker>> = {
  integrity: async (repository, current, call) => {
    const report = await verifyIntegrity(
      repository,
      {
        current,
        backup: textOption(call, 'backupName'),
        delayedLimit: countOf(call, 'WALG_INTEGRITY_MAX_DELAYED_WALS', 0),
        uploadingLimit: countOf(call, 'WALG_UPLOAD_CONCURRENCY', 16),
      },
      call.context,
    );
    const rows = rangesOf(report);
    const cells = rows.map((row) => Object.values(row).map(String));
    return { json: { status: report.status, details: rows }, text: boxTable(integrityColumns, cells) };
  },
  timeline: async (repository, current, call) => {
    const { status, ...found }: TimelineCheckReport = await verifyTimeline(repository, current, call.context);
    const { currentTimeline, highestTimeline } = found;
    return {
      json: {
        status,
        details: { current_timeline_id: currentTimeline, highest_storage_timeline_id: highestTimeline },
      },
      text: `Highest timeline found in storage: ${highestTimeline}\nCurrent cluster timeline: ${currentTimeline}`,
    };
  },
};

function rangesOf({ ranges, segmentSizeBytes }: IntegrityReport): object[] {
  return ranges.map(({ timeline, first, last, status }) => ({
    timeline_id: timeline,
    start_segment: formatSegmentName({ timeline, segmentNumber: first }, segmentSizeBytes),
    end_segment: formatSegmentName({ timeline, segmentNumber: last }, segmentSizeBytes),
    segments_count: last - first + 1n,
    status,
  }));
}

function givenPosition(call: CommandCall): CurrentPosition | undefined {
  const [timeline, lsn] = [textOption(call, 'timeline'), textOption(call, 'lsn')];
  if (timeline === undefined && lsn === undefined) return undefined;
  if (timeline === undefined || lsn === undefined || !/^[1-9]\d*$/.test(timeline)) {
    throw new UsageError('--timeline and --lsn go together: a number, and a position such as 0/80000D0');
  }
  return { timeline: Number(timeline), lsn: parseLsn(lsn) };
}

async function askServer({ environment, context }: CommandCall): Promise<CurrentPosition> {
  await using connection = await connectPostgres({ environment, applicationName: 'seawall wal-verify' }, context);
  return await readCurrentPosition(connection);
}

/** @throws {@link ConfigError} when the variable holds no count */
function countOf({ environment }: CommandCall, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === '') return fallback;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ConfigError(`bad value ${JSON.stringify(text)} for ${name}: must be a whole number`);
}

import { formatLsn } from '../postgres/lsn.ts';
import { formatBytes } from '../util/bytes.ts';
import { describeStop } from './describe-target.ts';
import type { RestorePlan } from './plan.ts';

/** The plan for people, a line each. */
export function describePlan(plan: RestorePlan): string[] {
  const { backup, parents, contents } = plan;
  const limits = Object.entries(plan.hotStandbyLimits).map(([name, value]) => `${name} = ${value}`);
  const links = [contents.parts, ...contents.parents.map(({ parts }) => parts)];
  const parts = [...links.flatMap(({ data }) => data), contents.parts.control, contents.parts.label];
  const fetched = parts.filter((part) => part !== undefined);
  const storedBytes = fetched.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const endedAt = backup.finishedAt === undefined ? '' : ` (${backup.finishedAt.toISOString()})`;
  return [
    `backup       ${backup.name} in ${plan.location}`,
    `taken        ${formatLsn(backup.startLsn)} to ${formatLsn(backup.finishLsn)}${endedAt} on timeline ${backup.timeline}, PostgreSQL ${plan.majorVersion}`,
    ...parents.map(({ name }) => `upon         ${name}`),
    `size         ${formatBytes(plan.sizeBytes)}, ${formatBytes(storedBytes)} to fetch in ${fetched.length} parts, ${plan.jobs} at a time`,
    `verified by  ${contents.hasManifest ? 'backup_manifest: size and checksum of every file' : 'sizes and completeness only'}`,
    `directory    ${plan.directory}`,
    ...plan.tablespaces.map(
      ({ oid, originalLocation, location }) =>
        `tablespace   ${oid} in ${location}${location === originalLocation ? '' : ` instead of ${originalLocation}`}`,
    ),
    `recovery     ${describeRecovery(plan)}`,
    `archiving    ${plan.archiveMode === 'off' ? 'switched off' : 'as it was'}`,
    ...Object.entries(plan.settings).map(([name, value]) => `setting      ${name} = '${value}'`),
    `limits       at least ${limits.join(', ')}`,
    ...plan.notes.map((note) => `note         ${note}`),
  ];
}

function describeRecovery({ target, timeline, signalFile }: RestorePlan): string {
  const isStandby = signalFile === 'standby.signal';
  const stop = isStandby && target.stop.kind === 'latest' ? 'for ever' : `to ${describeStop(target.stop)}`;
  const along = typeof target.timeline === 'number' ? String(timeline) : `${timeline} (${target.timeline})`;
  const then = target.stop.kind === 'latest' ? '' : `, then ${target.action}`;
  return `${isStandby ? 'as a standby, ' : ''}${stop}, along timeline ${along}${then}`;
}

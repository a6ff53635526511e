import type { SettingValues } from './configuration-file.ts';
import { formatLsn } from './lsn.ts';
import type { RecoveryTarget, StopPoint } from './recovery-target.ts';

/**
 * Settings that steer a recovery: those of an earlier one, which a backup carries along, must not steer the next. The delay of
 * a delayed standby holds up a recovery to a target just as well.
 */
export const recoverySettingNames: readonly string[] = [
  'restore_command',
  'archive_cleanup_command',
  'recovery_end_command',
  'recovery_min_apply_delay',
  'recovery_target',
  'recovery_target_action',
  'recovery_target_inclusive',
  'recovery_target_lsn',
  'recovery_target_name',
  'recovery_target_time',
  'recovery_target_timeline',
  'recovery_target_xid',
];

/** Settings that make a standby follow a primary: stale in a cluster that is not to be a standby. */
export const replicationSettingNames: readonly string[] = [
  'primary_conninfo',
  'primary_slot_name',
  'promote_trigger_file',
];

/**
 * The settings with which a restored cluster recovers to the target, PostgreSQL 12 and later.
 *
 * @param restoreCommand - `restore_command` as the server is to run it, with its `%f` and `%p`
 * @see PostgreSQL manual, "Archive Recovery" and "Recovery Target"
 */
export function recoverySettings(target: RecoveryTarget, restoreCommand: string): SettingValues {
  const { stop, timeline, action } = target;
  return {
    restore_command: restoreCommand,
    ...stopSettings(stop),
    ...('isInclusive' in stop ? { recovery_target_inclusive: stop.isInclusive ? 'on' : 'off' } : {}),
    recovery_target_timeline: String(timeline),
    ...(stop.kind === 'latest' ? {} : { recovery_target_action: action }),
  };
}

function stopSettings(stop: StopPoint): SettingValues {
  switch (stop.kind) {
    case 'latest':
      return {};
    case 'immediate':
      return { recovery_target: 'immediate' };
    case 'time':
      return { recovery_target_time: stop.time.utcText };
    case 'lsn':
      return { recovery_target_lsn: formatLsn(stop.lsn) };
    case 'xid':
      return { recovery_target_xid: stop.xid };
    case 'name':
      return { recovery_target_name: stop.name };
  }
}

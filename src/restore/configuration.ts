import { type ChangedConfiguration, changeConfiguration, type SettingValues } from '../postgres/configuration-file.ts';
import { configuredValue } from '../postgres/configured-value.ts';
import type { HotStandbyLimit } from '../postgres/control-file.ts';
import { recoverySettingNames, replicationSettingNames } from '../postgres/recovery-settings.ts';
import type { RestorePlan } from './plan.ts';

/** The configuration files as the backup has them; empty where it has none. */
export interface BackupConfiguration {
  readonly main: string;
  /** postgresql.auto.conf, which wins over the other. */
  readonly auto: string;
}

/** What the server takes when nothing is configured. @see PostgreSQL manual, "Server Configuration" */
const defaultLimits: Readonly<Record<HotStandbyLimit, number>> = {
  max_connections: 100,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 0,
  max_locks_per_transaction: 64,
};

/** What takes the effect from a setting that postgresql.conf has; an empty text does so for all others. */
const neutralValues: SettingValues = {
  recovery_min_apply_delay: '0',
  recovery_target_action: 'pause',
  recovery_target_inclusive: 'on',
};

/**
 * The postgresql.auto.conf of the restored cluster: what the backup has, less the settings of earlier recoveries, with the plan's.
 * postgresql.conf stays as it is, for the manifest has its checksum; what it says of recovery is overruled here.
 *
 * @param comment - stands above the new settings
 */
export function restoredConfiguration(
  plan: RestorePlan,
  { main, auto }: BackupConfiguration,
  comment: string,
): ChangedConfiguration {
  const stale = [...recoverySettingNames, ...(plan.signalFile === 'standby.signal' ? [] : replicationSettingNames)];
  return changeConfiguration(auto, {
    remove: stale,
    // The server refuses a second recovery target even if a later line empties it, so the empty ones come first.
    add: { ...overruled(plan.settings, main), ...hotStandbySettings(plan, main, auto), ...plan.settings },
    comment,
  });
}

function overruled(planned: SettingValues, main: string): SettingValues {
  const names = recoverySettingNames.filter((name) => planned[name] === undefined && configuredValue(main, name));
  return Object.fromEntries(names.map((name) => [name, neutralValues[name] ?? '']));
}

/** @see postgres src/backend/access/transam/xlogrecovery.c, CheckRequiredParameterValues */
function hotStandbySettings(
  { hotStandbyLimits, isReadInRecovery }: RestorePlan,
  main: string,
  auto: string,
): SettingValues {
  const configured = (name: string) => configuredValue(auto, name) ?? configuredValue(main, name);
  const isSwitchedOff = /^(?:of|off|f|fa.*|n|no|0)$/i.test(configured('hot_standby') ?? '');
  if (isSwitchedOff && !isReadInRecovery) return {};
  const limits = Object.entries(hotStandbyLimits) as [HotStandbyLimit, number][];
  const tooLow = limits.filter(([name, needed]) => !(Number(configured(name) ?? defaultLimits[name]) >= needed));
  return {
    ...(isSwitchedOff ? { hot_standby: 'on' } : {}),
    ...Object.fromEntries(tooLow.map(([name, needed]) => [name, String(needed)])),
  };
}

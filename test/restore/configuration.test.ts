import { describe, expect, it } from 'vitest';
import { configuredValue } from '../../src/postgres/configured-value.ts';
import { restoredConfiguration } from '../../src/restore/configuration.ts';
import type { RestorePlan } from '../../src/restore/plan.ts';

type PlannedPart = Pick<RestorePlan, 'settings' | 'signalFile' | 'isReadInRecovery'>;

const limits = {
  max_connections: 150,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 0,
  max_locks_per_transaction: 64,
};

function configure(files: { readonly main?: string; readonly auto?: string }, planned: Partial<PlannedPart> = {}) {
  const plan = {
    settings: { restore_command: 'fetch %f %p', recovery_target_time: '2026-01-02 03:04:05+00' },
    signalFile: 'recovery.signal',
    hotStandbyLimits: limits,
    isReadInRecovery: true,
    ...planned,
  } as RestorePlan;
  return restoredConfiguration(plan, { main: files.main ?? '', auto: files.auto ?? '' }, 'a comment');
}

describe('the configuration of a restored cluster', () => {
  it('keeps what the backup has and appends the plan', () => {
    expect(configure({ auto: "# header\nmax_connections = '150'\n" }).text).toBe(
      "# header\nmax_connections = '150'\n# a comment\nrestore_command = 'fetch %f %p'\nrecovery_target_time = '2026-01-02 03:04:05+00'\n",
    );
  });

  it('loses the settings of an earlier recovery and of replication', () => {
    const auto = "recovery_target_name = 'old'\nprimary_conninfo = 'host=old'\nrestore_command = 'old'\n";
    const { text, removed } = configure({ auto });
    expect(removed).toHaveLength(3);
    expect(text).not.toContain('old');
  });

  it('keeps the settings of replication in a standby', () => {
    const { text } = configure({ auto: "primary_conninfo = 'host=old'\n" }, { signalFile: 'standby.signal' });
    expect(text).toContain("primary_conninfo = 'host=old'");
  });

  it('overrules what postgresql.conf says of recovery, before it sets the target', () => {
    const main =
      "recovery_target_lsn = '0/1'\nrecovery_end_command = 'boom'\nrecovery_min_apply_delay = 1h\n#recovery_target_xid = 3\n";
    const { text } = configure({ main });
    expect(text.indexOf("recovery_target_lsn = ''")).toBeLessThan(text.indexOf('recovery_target_time'));
    expect(text).toContain("recovery_target_lsn = ''\n");
    expect(text).toContain("recovery_end_command = ''\n");
    expect(text).toContain("recovery_min_apply_delay = '0'\n");
    expect(text).not.toContain('recovery_target_xid');
  });
});

describe('the limits of a readable server', () => {
  it('are raised where the configuration is lower', () => {
    const main = 'max_connections = 100\nmax_worker_processes = 4\nmax_wal_senders = 20\n';
    const { text } = configure({ main });
    expect(configuredValue(text, 'max_connections')).toBe('150');
    expect(configuredValue(text, 'max_worker_processes')).toBe('8');
    expect(configuredValue(text, 'max_wal_senders')).toBeUndefined();
  });

  it('are left alone where the configuration or the default is high enough', () => {
    const files = { main: 'max_connections = 100\n', auto: "max_connections = '200'\n" };
    const { text } = configure(files);
    expect(text).toContain("max_connections = '200'");
    expect(configuredValue(text, 'max_locks_per_transaction')).toBeUndefined();
    expect(configuredValue(text, 'max_wal_senders')).toBeUndefined();
  });

  it.each(['off', 'FALSE', 'no', '0', 'f'])('need hot_standby, which is switched on again after %j', (value) => {
    expect(configure({ main: `hot_standby = ${value}\n` }).text).toContain("hot_standby = 'on'");
  });

  it('are not looked at without hot_standby when nobody reads during recovery', () => {
    const { text } = configure({ main: 'max_connections = 1\nhot_standby = off\n' }, { isReadInRecovery: false });
    expect(text).not.toMatch(/max_connections|hot_standby/);
  });

  it('are raised when nobody reads during recovery, for the server insists on them', () => {
    const { text } = configure({ main: 'max_connections = 100\n' }, { isReadInRecovery: false });
    expect(configuredValue(text, 'max_connections')).toBe('150');
  });
});

import { describe, expect, it } from 'vitest';
import { recoverySettingNames, recoverySettings } from '../../src/postgres/recovery-settings.ts';
import { parseRecoveryTarget, type RecoveryTargetTexts } from '../../src/postgres/recovery-target.ts';

const settingsFor = (texts: RecoveryTargetTexts) => recoverySettings(parseRecoveryTarget(texts), 'fetch "%f" "%p"');

describe('recovery settings', () => {
  it('follow the latest timeline to its end without a target', () => {
    expect(settingsFor({})).toEqual({ restore_command: 'fetch "%f" "%p"', recovery_target_timeline: 'latest' });
  });

  it.each([
    [
      { time: '2026-11-21 10:30+02' },
      { recovery_target_time: '2026-11-21 08:30:00+00', recovery_target_inclusive: 'on' },
    ],
    [
      { lsn: '0/03000028', inclusive: false },
      { recovery_target_lsn: '0/3000028', recovery_target_inclusive: 'off' },
    ],
    [{ xid: '750' }, { recovery_target_xid: '750', recovery_target_inclusive: 'on' }],
    [{ name: 'before' }, { recovery_target_name: 'before' }],
    [{ immediate: true }, { recovery_target: 'immediate' }],
  ])('stop at %o', (texts, expected) => {
    expect(settingsFor({ ...texts, timeline: '3', action: 'promote' })).toEqual({
      restore_command: 'fetch "%f" "%p"',
      recovery_target_timeline: '3',
      recovery_target_action: 'promote',
      ...expected,
    });
  });

  it('are all among those that the next recovery removes', () => {
    for (const texts of [
      { time: '2026-11-21 10:30Z' },
      { lsn: '0/1' },
      { xid: '750' },
      { name: 'x' },
      { immediate: true },
    ]) {
      expect(Object.keys(settingsFor(texts)).filter((name) => !recoverySettingNames.includes(name))).toEqual([]);
    }
  });
});

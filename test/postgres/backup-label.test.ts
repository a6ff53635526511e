import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { type BackupLabel, parseBackupLabel } from '../../src/postgres/backup-label.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';

function parse(...lines: readonly string[]): BackupLabel {
  return parseBackupLabel(Buffer.from(lines.map((line) => `${line}\n`).join('')));
}

const start = 'START WAL LOCATION: 1A/10000028 (file 000000030000001A00000010)';
const checkpoint = 'CHECKPOINT LOCATION: 1A/10000060';

describe('parseBackupLabel', () => {
  it('reads the label of a backup', () => {
    const label = parse(
      start,
      checkpoint,
      'BACKUP METHOD: streamed',
      'BACKUP FROM: primary',
      'START TIME: 2026-11-21 08:12:12 UTC',
      'LABEL: nightly: “full”',
      'START TIMELINE: 3',
    );
    expect(label).toEqual({
      startLsn: parseLsn('1A/10000028'),
      startSegment: '000000030000001A00000010',
      timeline: 3,
      checkpointLsn: parseLsn('1A/10000060'),
      method: 'streamed',
      from: 'primary',
      startTime: '2026-11-21 08:12:12 UTC',
      label: 'nightly: “full”',
      incrementalFrom: undefined,
      stop: undefined,
    });
  });

  it('reads a .backup file, which also says where the backup ended', () => {
    const label = parse(
      'START WAL LOCATION: 0/5FFFFD8 (file 000000010000000000000005)',
      'STOP WAL LOCATION: 0/6000100 (file 000000010000000000000006)',
      'CHECKPOINT LOCATION: 0/6000000',
      'STOP TIMELINE: 1',
    );
    expect(label.stop).toEqual({ lsn: parseLsn('0/6000100'), segment: '000000010000000000000006', timeline: 1 });
    expect(parse(start, checkpoint, 'STOP WAL LOCATION: 1A/20 (file 000000030000001A00000000)').stop?.timeline).toBe(3);
  });

  it('knows what an incremental backup builds upon', () => {
    expect(parse(start, checkpoint, 'INCREMENTAL FROM LSN: 1/28', 'INCREMENTAL FROM TLI: 2').incrementalFrom).toEqual({
      lsn: parseLsn('1/28'),
      timeline: 2,
    });
  });

  it.for([
    ['primary', 'primary'],
    ['master', 'primary'],
    ['standby', 'standby'],
  ])('understands a backup from a %s', ([text, from]) => {
    expect(parse(start, checkpoint, `BACKUP FROM: ${text}`).from).toBe(from);
  });

  it('does without the lines that a server may do without', () => {
    expect(parse(start, checkpoint)).toMatchObject({ from: undefined, label: undefined, timeline: 3 });
  });

  it('takes the first of two lines of one name, so that a label cannot forge the others', () => {
    expect(parse(start, checkpoint, 'BACKUP FROM: standby', 'LABEL: x', 'BACKUP FROM: primary').from).toBe('standby');
  });

  it.for([
    ['nothing', [], 'START WAL LOCATION'],
    ['no checkpoint', [start], 'CHECKPOINT LOCATION'],
    ['no segment', ['START WAL LOCATION: 1A/10000028', checkpoint], 'START WAL LOCATION'],
    ['a start that is no position', ['START WAL LOCATION: x (file 000000030000001A00000010)', checkpoint], 'START WAL'],
    ['a checkpoint that is no position', [start, 'CHECKPOINT LOCATION: x'], 'CHECKPOINT LOCATION'],
    ['two timelines', [start, checkpoint, 'START TIMELINE: 4'], 'does not fit'],
    ['a timeline that is no number', [start, checkpoint, 'START TIMELINE: 0x3'], 'START TIMELINE'],
    ['an unknown origin', [start, checkpoint, 'BACKUP FROM: elsewhere'], 'BACKUP FROM'],
  ] as const)('refuses a label with %s', ([, lines, message]) => {
    expect(() => parse(...lines)).toThrow(IntegrityError);
    expect(() => parse(...lines)).toThrow(message);
  });
});

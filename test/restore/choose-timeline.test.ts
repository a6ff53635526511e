import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { toLsn } from '../../src/postgres/lsn.ts';
import { parseTimelineHistory } from '../../src/postgres/timeline-history.ts';
import { checkTimelines } from '../../src/restore/choose-timeline.ts';
import { backupRecord } from '../support/backup-record.ts';

const parent = backupRecord({ name: 'base_000000010000000000000002', finishLsn: '0/2000100' });
const delta = backupRecord({
  name: 'base_000000020000000000000006_D_000000010000000000000002',
  finishLsn: '0/6000100',
  parent: { name: parent.name, fullName: parent.name, count: 1, startLsn: toLsn(0x200_0028n) },
});

/** Timeline 2 left timeline 1 at this LSN. */
const leftAt = (lsn: string) => new Map([[2, parseTimelineHistory(`1\t${lsn}\tno recovery target specified\n`, 2)]]);

describe('a delta behind a switch of timelines', () => {
  it('may stand upon a parent that ended before it', () => {
    expect(() => checkTimelines([delta, parent], leftAt('0/5000000'))).not.toThrow();
  });

  it('is refused when its parent ended behind the switch', () => {
    const check = () => checkTimelines([delta, parent], leftAt('0/2000080'));
    expect(check).toThrow(IntegrityError);
    expect(check).toThrow(`${delta.name} is a delta upon ${parent.name}, but timeline 2 left timeline 1 at 0/2000080`);
  });

  it('is not refused for want of the history', () => {
    expect(() => checkTimelines([delta, parent], new Map())).not.toThrow();
  });
});

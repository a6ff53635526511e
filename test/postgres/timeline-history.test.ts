import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { formatLsn, toLsn } from '../../src/postgres/lsn.ts';
import {
  isReachable,
  parseTimelineHistory,
  rootTimeline,
  switchLsnFrom,
  timelineAt,
} from '../../src/postgres/timeline-history.ts';

const text = '1\t0/E20000F8\tat restore point "rp1"\n\n2\t1/17000000\tno recovery target specified\n';
const history = parseTimelineHistory(text, 3);

describe('timeline history', () => {
  it('lists the ancestors with their switch points and reasons', () => {
    expect(history).toEqual({
      timeline: 3,
      ancestors: [
        { timeline: 1, switchLsn: 0xe200_00f8n, reason: 'at restore point "rp1"' },
        { timeline: 2, switchLsn: 0x1_1700_0000n, reason: 'no recovery target specified' },
      ],
    });
  });

  it('has room for comments, empty lines, other spaces and a missing reason', () => {
    expect(parseTimelineHistory('# by hand\n\n  1 0/0A000028\n', 2).ancestors).toEqual([
      { timeline: 1, switchLsn: 0x0a00_0028n, reason: '' },
    ]);
  });

  it.each([
    ['is empty', '\n# nothing\n', 2],
    ['is empty', '', 2],
    ['has a line that is not one', '1\t0/E2\treason\nrubbish\n', 3],
    ['has a line that is not one', '1\n', 2],
    ['has its timelines out of order', '2\t0/10\tx\n1\t0/20\ty\n', 3],
    ['has its timelines out of order', '0\t0/10\tx\n', 3],
    ['names timeline 2 as its ancestor', '2\t0/10\tx\n', 2],
    ['goes back from 0/20 to 0/10', '1\t0/20\tx\n2\t0/10\ty\n', 3],
  ])('is refused when it %s', (problem, broken, timeline) => {
    expect(() => parseTimelineHistory(broken, timeline)).toThrow(IntegrityError);
    expect(() => parseTimelineHistory(broken, timeline)).toThrow(
      `timeline history 0000000${timeline}.history ${problem}`,
    );
  });

  it('tells the timeline of each position, the younger one from the switch on', () => {
    expect(timelineAt(history, toLsn(0xe200_00f7n))).toBe(1);
    expect(timelineAt(history, toLsn(0xe200_00f8n))).toBe(2);
    expect(timelineAt(history, toLsn(0x1_1700_0000n))).toBe(3);
    expect(timelineAt(rootTimeline(1), toLsn(0n))).toBe(1);
  });

  it('can be reached from a backup that ended before the history left its timeline', () => {
    const reaches = (timeline: number, stopLsn: bigint) => isReachable(history, { timeline, stopLsn: toLsn(stopLsn) });
    expect(reaches(1, 0xe200_00f8n)).toBe(true);
    expect(reaches(1, 0xe200_00f9n)).toBe(false);
    expect(reaches(2, 0x1_1700_0000n)).toBe(true);
    expect(reaches(3, 0x2_0000_0000n)).toBe(true);
    expect(reaches(4, 0x10n)).toBe(false);
  });

  it('agrees with itself: a backup reaches it exactly when its last byte lies on it', () => {
    const gaps = fc.array(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(gaps, fc.bigInt({ min: 1n, max: 0x1_0000_0000n }), fc.nat(6), (steps, stopLsn, index) => {
        let position = 0n;
        const lines = steps.map((step, line) => {
          position += step;
          return `${line + 1}\t${formatLsn(toLsn(position))}\tx\n`;
        });
        const made = parseTimelineHistory(lines.join(''), steps.length + 1);
        const timeline = Math.min(index, steps.length) + 1;
        const leftAt = switchLsnFrom(made, timeline);
        expect(isReachable(made, { timeline, stopLsn: toLsn(stopLsn) })).toBe(
          leftAt === 'never' || timelineAt(made, toLsn(stopLsn - 1n)) <= timeline,
        );
      }),
    );
  });
});

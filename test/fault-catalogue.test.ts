import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { basebackupFaults } from './fault-catalogue/basebackup.ts';
import { commonFaults, restoreFaults } from './fault-catalogue/restore.ts';
import { upkeepFaults } from './fault-catalogue/upkeep.ts';
import { walFetchFaults } from './fault-catalogue/wal-fetch.ts';
import { walPushFileFaults } from './fault-catalogue/wal-push-files.ts';
import { walPushStoreFaults } from './fault-catalogue/wal-push-stores.ts';

const faults = [
  ...walPushFileFaults,
  ...walPushStoreFaults,
  ...walFetchFaults,
  ...basebackupFaults,
  ...restoreFaults,
  ...upkeepFaults,
  ...commonFaults,
];

describe('the catalogue of faults', () => {
  it('knows every line', () => {
    const lines = faults.map(({ line }) => line).toSorted((a, b) => a - b);
    const expected = Array.from({ length: 70 }, (_, index) => index + 1);
    expect(lines).toEqual(expected);
  });

  it.each(faults)('has an answer when $what ($line)', ({ shownBy = {}, because }) => {
    const tests = Object.entries(shownBy).flatMap(([file, names]) => names.map((name) => ({ file, name })));
    expect(tests.length > 0 || because !== undefined).toBe(true);
    for (const { file, name } of tests) {
      const source = readFileSync(new URL(file, import.meta.url), 'utf8');
      expect(
        literals(name).some((literal) => source.includes(literal)),
        `${file} has a test named ${name}`,
      ).toBe(true);
    }
  });
});

/** How a name may be written where a test is declared: in front of its function, or before its options. */
function literals(name: string): string[] {
  return ["'", '"', '`'].map((quote) => `${quote}${name}${quote},`);
}

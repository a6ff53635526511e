import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startJourney } from '../support/journey.ts';

const fileCount = 100_000;
const limitMib = 300;
/** Making and removing so many files takes its time on a busy disk. */
const timeoutMs = 600_000;

it.runIf(process.platform === 'linux')(
  'a base backup of 100,000 files and 2 GiB takes less than 300 MiB',
  { timeout: timeoutMs },
  async () => {
    await using journey = await startJourney();
    const database = join(journey.cluster.dataDirectory, 'base/77777');
    mkdirSync(database);
    const page = Buffer.alloc(8192);
    for (let index = 0; index < fileCount; index += 1) {
      writeFileSync(join(database, String(100_000 + index)), index % 3 === 0 ? '' : page);
    }
    for (const name of ['9999', '9999.1']) {
      writeFileSync(join(database, name), '');
      truncateSync(join(database, name), 1024 ** 3);
    }

    const command = journey.start('basebackup', '--jobs', '4');
    let peakKib = 0;
    const watch = setInterval(() => {
      peakKib = readPeakKib(command.process.pid) ?? peakKib;
    }, 100);
    const { exitCode, stderr } = await command.finished;
    clearInterval(watch);
    expect(exitCode, stderr).toBe(0);
    expect(peakKib).toBeGreaterThan(0);
    expect(peakKib / 1024).toBeLessThan(limitMib);
  },
);

/** The launcher becomes Node, so the process is the one that takes the backup. */
function readPeakKib(processId: number | undefined): number | undefined {
  try {
    const peak = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1];
    return peak === undefined ? undefined : Number(peak);
  } catch {
    return undefined;
  }
}

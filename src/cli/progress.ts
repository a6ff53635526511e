import type { Context } from '../context.ts';
import { formatBytes } from '../util/bytes.ts';
import { formatDuration } from '../util/duration.ts';
import { writeError } from './streams.ts';

/** How far a long operation has come. */
export interface Progress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

const terminalIntervalMs = 200;
const lineIntervalMs = 15_000;

/**
 * Shows on stderr how far some work has come: by a line that rewrites itself on a terminal, by one line every 15 s elsewhere. When this
 * resolves or throws, the terminal's line is gone again.
 *
 * @param work - calls what it is given whenever it has come further
 */
export async function withProgress<T>(
  verb: string,
  context: Context,
  work: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  const isTerminal = process.stderr.isTTY === true && process.env['TERM'] !== 'dumb';
  const startedAtMs = context.clock.now().getTime();
  let lastShownMs = startedAtMs;
  const show = (progress: Progress): void => {
    const nowMs = context.clock.now().getTime();
    if (nowMs - lastShownMs < (isTerminal ? terminalIntervalMs : lineIntervalMs)) return;
    lastShownMs = nowMs;
    const line = progressLine(verb, progress, nowMs - startedAtMs);
    if (isTerminal) writeError(`\r\u001b[2K${line}`);
    else context.log.info({}, line);
  };
  try {
    return await work(show);
  } finally {
    if (isTerminal) writeError('\r\u001b[2K');
  }
}

/** `backing up: 1.2 GiB of 4.0 GiB, 30 %, 250.0 MiB/s, 12.3 s left` */
export function progressLine(verb: string, { bytesDone, bytesTotal }: Progress, elapsedMs: number): string {
  const percent = bytesTotal === 0 ? 100 : Math.floor((bytesDone / bytesTotal) * 100);
  const bytesPerSecond = elapsedMs === 0 ? 0 : (bytesDone / elapsedMs) * 1000;
  const left =
    bytesPerSecond === 0 ? '' : `, ${formatDuration(((bytesTotal - bytesDone) / bytesPerSecond) * 1000)} left`;
  return `${verb}: ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}, ${percent} %, ${formatBytes(bytesPerSecond)}/s${left}`;
}

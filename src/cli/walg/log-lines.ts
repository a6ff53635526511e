import type { Settings } from '../../config/settings.ts';
import type { Logger } from '../../context.ts';
import { createLogger } from '../logger.ts';
import { errorLines } from '../report-error.ts';
import { writeError } from '../streams.ts';

const prefixes = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR' } as const;

/** Log lines on stderr as WAL-G writes them, unless JSON is asked for. */
export function createWalgLogger(settings: Pick<Settings, 'logLevel' | 'logFormat'>): Logger {
  if (settings.logFormat === 'json') return createLogger(settings);
  return createLogger(settings, (level, text) => walgLine(prefixes[level], text));
}

/** What hints advise, as it is called here. */
const commandNames = [
  ["'seawall list'", "'wal-g backup-list'"],
  ["'seawall basebackup'", "'wal-g backup-push'"],
] as const;

/** Prints why a command failed, in WAL-G's form. */
export function reportWalgError(error: unknown): void {
  for (const line of errorLines(error)) {
    let words = line.replace(/^seawall: (error: )?/, '');
    for (const [ours, walgs] of commandNames) words = words.replace(ours, walgs);
    writeError(`${walgLine('ERROR', words)}\n`);
  }
}

/** `INFO: 2026/01/02 03:04:05.000678 Wrote backup with name …`, in local time. @see Go's package log, LstdFlags|Lmicroseconds */
function walgLine(prefix: string, text: string, at: Date = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('/');
  const time = [two(at.getHours()), two(at.getMinutes()), two(at.getSeconds())].join(':');
  return `${prefix}: ${date} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}000 ${text}`;
}

import type { Settings } from '../config/settings.ts';
import type { Logger } from '../context.ts';
import { describeError } from '../errors.ts';
import { writeError } from './streams.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];

/**
 * Log lines on stderr: text for people (and PostgreSQL's log), or JSON by pino, which is loaded when the first line is due.
 *
 * @param lineOf - makes a line of text
 */
export function createLogger(
  settings: Pick<Settings, 'logLevel' | 'logFormat'>,
  lineOf: (level: Level, text: string) => string = seawallLine,
): Logger {
  return settings.logFormat === 'json' ? jsonLogger(settings.logLevel) : textLogger(settings.logLevel, lineOf);
}

function seawallLine(level: Level, text: string): string {
  return `seawall: ${level === 'info' ? '' : `${level}: `}${text}`;
}

function textLogger(minimum: Level, lineOf: (level: Level, text: string) => string): Logger {
  return leveled(minimum, (level, fields, message) => {
    const details = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
    writeError(`${lineOf(level, message + details.join(''))}\n`);
  });
}

function fieldText(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(describeError(value));
  if (typeof value === 'string') return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  // Not imported, since that takes each call 4 ms and most have nothing to say.
  return process
    .getBuiltinModule('node:util')
    .formatWithOptions({ breakLength: Number.POSITIVE_INFINITY, compact: true }, '%O', value);
}

function jsonLogger(minimum: Level): Logger {
  let pinoLogger: Logger | undefined;
  return leveled(minimum, (level, fields, message) => {
    pinoLogger ??= loadPino(minimum);
    pinoLogger[level](fields, message);
  });
}

function loadPino(minimum: Level): Logger {
  const { createRequire } = process.getBuiltinModule('node:module');
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  return pino(
    { level: minimum, redact: ['*.password', '*.secretAccessKey'] },
    pino.destination({ dest: 2, sync: true }),
  );
}

function leveled(minimum: Level, write: (level: Level, fields: object, message: string) => void): Logger {
  const at = (level: Level) =>
    levels.indexOf(level) < levels.indexOf(minimum)
      ? () => undefined
      : (fields: object, message: string) => write(level, fields, message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

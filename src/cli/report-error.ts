import { describeError, SeawallError } from '../errors.ts';
import { writeError } from './streams.ts';

/** Prints an error on stderr: what failed, why, and what to do next. A bug is shown with its stack. */
export function reportError(error: unknown): void {
  writeError(`${errorLines(error).join('\n')}\n`);
}

/** The lines of {@link reportError}: the message, the causes that say something new, the hint. */
export function errorLines(error: unknown): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(errorLines);
  if (!(error instanceof SeawallError)) {
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return [`seawall: error: this is a bug in seawall: ${trace}`];
  }
  const lines = [`seawall: error: ${error.message}`];
  let said = error.message;
  for (let cause = error.cause; hasWords(cause); cause = cause instanceof Error ? cause.cause : undefined) {
    // A library may spread its words over many lines.
    const words = describeError(cause).replace(/\s*\n\s*/g, ' ');
    if (said.includes(words)) continue;
    lines.push(`seawall: cause: ${words}`);
    said += words;
  }
  if (error.hint !== undefined) lines.push(`seawall: hint: ${error.hint}`);
  return lines;
}

/** The same in one line, for a log. */
export function errorWords(error: unknown): string {
  return errorLines(error)
    .map((line) => line.replace(/^seawall: (error: )?/, ''))
    .join('; ');
}

/** SDKs put the service's whole answer behind their errors, too, as an object that says nothing new. */
function hasWords(cause: unknown): cause is Error | string {
  return cause instanceof Error || typeof cause === 'string';
}

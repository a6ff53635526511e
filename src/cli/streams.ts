import { systemErrorCode } from '../errors.ts';

/** What a shell shows for a program that SIGPIPE has ended, as it ends most programs when their reader goes. */
const brokenPipeStatus = 141;

let isOutputWatched = false;
let isErrorWatched = false;

/** stdout. A reader that has seen enough, such as `head`, ends the process: there is nothing left to do for it, and nothing to say. */
export function standardOutput(): NodeJS.WriteStream {
  if (!isOutputWatched) {
    isOutputWatched = true;
    process.stdout.on('error', (error) => {
      if (systemErrorCode(error) === 'EPIPE') process.exit(brokenPipeStatus);
      throw error;
    });
  }
  return process.stdout;
}

/** Writes to stderr. Where nobody reads that any more, the words are lost, and the work goes on. */
export function writeError(text: string): void {
  if (!isErrorWatched) {
    isErrorWatched = true;
    process.stderr.on('error', () => undefined);
  }
  process.stderr.write(text);
}

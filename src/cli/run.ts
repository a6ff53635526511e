import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createContext } from '../context.ts';
import { isAbortError, NotFoundError, UsageError } from '../errors.ts';
import { choosePersonality } from './choose-personality.ts';
import type { CommandCall } from './command.ts';
import { endProcess } from './end-process.ts';
import { exitStatuses, exitStatusOf } from './exit-codes.ts';
import { openRepository } from './open-repository.ts';
import type { Personality } from './personality.ts';
import { parsePlainCommandLine } from './plain-command-line.ts';
import type { ParsedCall } from './program.ts';
import { seawall } from './seawall.ts';
import { watchSignals } from './signals.ts';
import { standardOutput } from './streams.ts';

/** Runs one command line and sets the process's exit status. Nothing is thrown. */
export async function run(argv: readonly string[]): Promise<void> {
  const signals = watchSignals();
  const status = await runToStatus(argv, signals.signal);
  process.exitCode = status;
  signals.stop();
  // wal-push must stay at or below 125, also when it was interrupted, and the agent and the daemon have done what they were told;
  // everything else dies by the signal it was sent.
  const command = argv[0] === 'wal-g' ? argv[1] : argv[0];
  const isPlainEnd = ['wal-push', 'agent', 'daemon'].includes(command ?? '');
  if (signals.received !== undefined && !isPlainEnd) process.kill(process.pid, signals.received);
  // A request that hung until the deadline would keep the process alive, and PostgreSQL waits for its end.
  else if (status !== exitStatuses.ok.status) await endProcess(status);
}

async function runToStatus(argv: readonly string[], signal: AbortSignal): Promise<number> {
  let personality: Personality = seawall;
  let parsed: ParsedCall | undefined;
  let call: CommandCall | undefined;
  try {
    const addressed = await choosePersonality(argv);
    personality = addressed.personality;
    parsed = await parseWords(personality, addressed.words);
    if (parsed === undefined) {
      requireNoFile(addressed.words);
      return exitStatuses.ok.status;
    }
    call = await createCall(personality, parsed, addressed.words, signal);
    await parsed.definition.run(call);
    return exitStatuses.ok.status;
  } catch (error) {
    if (!(isAbortError(error) && signal.aborted) && !isRoutine(error, parsed)) personality.reportError(error);
    if (call !== undefined && parsed?.definition.failureStatus !== undefined) {
      return await parsed.definition.failureStatus(error, call);
    }
    // PostgreSQL would take the status of a wrong command line for the end of the archive.
    return argv.includes('wal-fetch') ? exitStatuses.undecided.status : exitStatusOf(error);
  }
}

async function parseWords(personality: Personality, words: readonly string[]): Promise<ParsedCall | undefined> {
  const plain = await parsePlainCommandLine(personality, words);
  if (plain !== undefined) return plain;
  const { parseCommandLine } = await import('./program.ts');
  return await parseCommandLine(personality, words, readVersion());
}

/**
 * Help and version have been printed. In archive_command or restore_command, PostgreSQL would take that success for a file stored or fetched.
 *
 * @throws {@link UsageError} where wal-push or wal-fetch stands among more words than it takes to ask for help
 */
function requireNoFile(words: readonly string[]): void {
  const command = words.find((word) => word === 'wal-push' || word === 'wal-fetch');
  if (words.length <= 2 || command === undefined) return;
  throw new UsageError(`${command} has done nothing: help or the version was asked for`, {
    hint: 'Take that option away.',
  });
}

/** At the end of the archive PostgreSQL asks for what is not there, a standby every few seconds: no news for its log. */
function isRoutine(error: unknown, parsed: ParsedCall | undefined): boolean {
  return parsed?.definition.name === 'wal-fetch' && error instanceof NotFoundError && process.stderr.isTTY !== true;
}

async function createCall(
  personality: Personality,
  parsed: ParsedCall,
  words: readonly string[],
  signal: AbortSignal,
): Promise<CommandCall> {
  const { resolved, configPath, environment, warning } = await personality.resolve(parsed.flags);
  const context = createContext({ log: personality.createLogger(resolved.values), signal });
  if (warning !== undefined && parsed.definition.isCalledOften !== true) context.log.warn({}, warning);
  return {
    personality: personality.name,
    args: parsed.args,
    flags: words.slice(1 + parsed.args.length),
    options: parsed.options,
    settings: resolved.values,
    resolved,
    configPath,
    environment,
    context,
    openRepository: (changes) => openRepository({ ...resolved.values, ...changes }, environment, context),
    print: (text) => standardOutput().write(text.endsWith('\n') ? text : `${text}\n`),
    printBytes: (bytes) => pipeline(bytes, standardOutput(), { end: false, signal }),
  };
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

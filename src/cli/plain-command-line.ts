import type { CommandDefinition } from './command.ts';
import type { Personality, SettingOption } from './personality.ts';
import type { ParsedCall } from './program.ts';

/** The calls that PostgreSQL makes, and the agent behind them, with the number of their arguments. */
const plainCommands: ReadonlyMap<string, number> = new Map([
  ['wal-push', 1],
  ['wal-fetch', 2],
  ['agent', 1],
]);

/**
 * Parses a command line of a call that PostgreSQL makes without loading commander, which takes about half as long to load as Node
 * itself. Such a call has arguments and settings only.
 *
 * @returns undefined for whatever is not plain, wrong command lines and calls for help included: commander knows what there is to say
 */
export async function parsePlainCommandLine(
  personality: Personality,
  words: readonly string[],
): Promise<ParsedCall | undefined> {
  const [name = '', ...others] = words;
  const argumentCount = plainCommands.get(name);
  const load = personality.commands[name];
  if (argumentCount === undefined || load === undefined) return undefined;
  const definition = await load();
  const options = plainOptionsOf(personality, definition);
  const parsed = parseWords(others, options);
  if (parsed?.positionals.length !== argumentCount) return undefined;
  const flags: Record<string, string> = {};
  for (const { key, name: optionName, isOff } of options) {
    const value = parsed.values[optionName];
    if (value === undefined) continue;
    // Which of `--agent on` and `--no-agent` comes last is a question for commander.
    if (key in flags) return undefined;
    flags[key] = isOff ? 'off' : String(value);
  }
  return { definition, args: parsed.positionals, options: {}, flags };
}

/** A setting option as parseArgs wants it: without the dashes. */
interface PlainOption {
  readonly key: string;
  readonly name: string;
  readonly type: 'string' | 'boolean';
  readonly isOff: boolean;
}

function plainOptionsOf(personality: Personality, definition: CommandDefinition): PlainOption[] {
  return [...personality.commonOptions, ...personality.settingOptions(definition)].map(plainOption);
}

function plainOption({ key, flags }: SettingOption): PlainOption {
  const [flag = '', placeholder] = flags.split(' ');
  const type = placeholder === undefined ? 'boolean' : 'string';
  return { key, name: flag.slice('--'.length), type, isOff: flag.startsWith('--no-') };
}

function parseWords(words: readonly string[], options: readonly PlainOption[]) {
  // An import would load all of node:util with all that it leads to, for 4 ms.
  const { parseArgs } = process.getBuiltinModule('node:util');
  try {
    return parseArgs({
      args: [...words],
      options: Object.fromEntries(options.map(({ name, type }) => [name, { type }])),
      allowPositionals: true,
    });
  } catch {
    return undefined;
  }
}

import { Command, CommanderError, Option } from 'commander';
import { UsageError } from '../errors.ts';
import type { CommandDefinition } from './command.ts';
import type { Personality, SettingOption } from './personality.ts';
import { standardOutput } from './streams.ts';
import { withoutSwitchValues } from './switch-values.ts';

/** What the command line says, before settings are resolved. */
export interface ParsedCall {
  readonly definition: CommandDefinition;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Texts of the options that stand for settings, by their keys. */
  readonly flags: Readonly<Record<string, string>>;
}

/**
 * Parses a command line. Help and version are printed here and give undefined.
 *
 * @throws {@link UsageError} with the nearest option or command where one is near
 */
export async function parseCommandLine(
  personality: Personality,
  words: readonly string[],
  version: string,
): Promise<ParsedCall | undefined> {
  const { commands } = personality;
  const [first = ''] = words;
  const named = Object.hasOwn(commands, first) ? commands[first] : undefined;
  const loaders = named === undefined ? Object.values(commands) : [named];
  let call: ParsedCall | undefined;
  const program = createProgram(personality, version);
  for (const definition of await Promise.all(loaders.map((load) => load()))) {
    addCommand(program, personality, definition, (parsed) => {
      call = parsed;
    });
  }
  try {
    const plainWords = personality.hasSwitchValues === true ? withoutSwitchValues(words, switchesOf(program)) : words;
    await program.parseAsync([...plainWords], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usageErrorOf(error, personality, words);
  }
  return call;
}

function createProgram({ name, introduction, versionFlags, versionText, commonOptions }: Personality, version: string) {
  const program = new Command(name)
    .description(introduction)
    .version(versionText(version), versionFlags, 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput({
      outputError: () => undefined,
      writeErr: () => undefined,
      writeOut: (text) => standardOutput().write(text),
    })
    .addHelpText(
      'after',
      `\nExit statuses and settings: see the README. Help for one command: ${name} <command> --help`,
    );
  addSettingOptions(program, commonOptions);
  return program;
}

function addCommand(
  program: Command,
  personality: Personality,
  definition: CommandDefinition,
  onCall: (call: ParsedCall) => void,
): void {
  const command = program
    .command(definition.name)
    .summary(definition.summary)
    .description([definition.summary, definition.description].filter(Boolean).join('\n\n'))
    .addHelpText('before', `Examples:\n${definition.examples.map((line) => `  ${line}`).join('\n')}\n`)
    .copyInheritedSettings(program);
  for (const argument of definition.arguments) command.argument(argument.notation, argument.description);
  for (const option of definition.options ?? []) {
    const added = new Option(option.flags, option.description);
    if (option.repeatable)
      added.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value]);
    command.addOption(added);
  }
  command.optionsGroup('Settings:');
  const settings = personality.settingOptions(definition);
  addSettingOptions(command, settings);
  command.action(() => {
    const values = command.optsWithGlobals<Record<string, unknown>>();
    const flags = textsOf([...personality.commonOptions, ...settings], values);
    onCall({ definition, args: command.args, options: values, flags });
  });
}

/** The options that take no value, of the program and of its commands. */
function switchesOf(program: Command): Set<string> {
  const options = [program, ...program.commands].flatMap((command) => command.options);
  const switches = options.filter(({ required, optional }) => !required && !optional);
  return new Set(switches.flatMap(({ short, long }) => [short, long]).filter((name) => name !== undefined));
}

function addSettingOptions(command: Command, options: readonly SettingOption[]): void {
  for (const { flags, description, isHidden = false } of options) {
    command.addOption(new Option(flags, description).hideHelp(isHidden));
  }
}

function textsOf(options: readonly SettingOption[], values: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const { key, flags } of options) {
    const value = values[new Option(flags).attributeName()];
    if (value !== undefined) texts[key] = value === false ? 'off' : String(value);
  }
  return texts;
}

function usageErrorOf(error: CommanderError, personality: Personality, words: readonly string[]): UsageError {
  const { name, commands } = personality;
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  if (error.code === 'commander.help') {
    return new UsageError(words.length === 0 ? 'no command given' : 'the command is not complete', {
      hint: `Run \`${name} --help\` to see the commands.`,
    });
  }
  const near = /Did you mean (?:one of )?(.+)\?/.exec(suggestion ?? '')?.[1];
  const help =
    words[0] !== undefined && Object.hasOwn(commands, words[0]) ? `${name} ${words[0]} --help` : `${name} --help`;
  return new UsageError(message, {
    hint: `${near === undefined ? '' : `Did you mean ${near}? `}Run \`${help}\` to see what there is.`,
  });
}

import { Command, CommanderError, Option } from 'commander';
import { flagOf, type SettingName, settingsTable } from '../config/settings.ts';
import { UsageError } from '../errors.ts';
import { type CommandDefinition, commonSettings } from './command.ts';
import { commands } from './commands/index.ts';

/** What the command line says, before settings are resolved. */
export interface ParsedCall {
  readonly definition: CommandDefinition;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly flags: Readonly<Partial<Record<SettingName, string>>>;
  readonly configPath: string | undefined;
}

const introduction =
  "Archives PostgreSQL's write-ahead log to object storage, takes base backups, and brings a cluster back to any moment.";

/**
 * Parses a command line. Help and version are printed here and give undefined.
 *
 * @throws {@link UsageError} with the nearest option or command where one is near
 */
export async function parseCommandLine(argv: readonly string[], version: string): Promise<ParsedCall | undefined> {
  const named = commands[argv[0] ?? ''];
  const loaders = named === undefined ? Object.values(commands) : [named];
  let call: ParsedCall | undefined;
  const program = createProgram(version);
  for (const definition of await Promise.all(loaders.map((load) => load()))) {
    addCommand(program, definition, (parsed) => {
      call = parsed;
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usageErrorOf(error, argv);
  }
  return call;
}

function createProgram(version: string): Command {
  return new Command('seawall')
    .description(introduction)
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput({ outputError: () => undefined, writeErr: () => undefined })
    .addHelpText(
      'after',
      '\nExit statuses and settings: see the README. Help for one command: seawall <command> --help',
    );
}

function addCommand(program: Command, definition: CommandDefinition, onCall: (call: ParsedCall) => void): void {
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
  command.option('--config <path>', 'configuration file (YAML, one setting per line)');
  const settings = [...new Set([...definition.settings, ...commonSettings])];
  for (const name of settings) {
    const setting = settingsTable[name];
    command.option(`${flagOf(name)} ${setting.placeholder}`, setting.doc);
    if (setting.hasOffFlag) command.option(flagOf(name).replace('--', '--no-'), `the same as ${flagOf(name)} off`);
  }
  command.action(() => {
    const values = command.opts<Record<string, unknown>>();
    const flags = Object.fromEntries(
      settings.flatMap((name) =>
        values[name] === undefined ? [] : [[name, values[name] === false ? 'off' : values[name]]],
      ),
    );
    onCall({
      definition,
      args: command.args,
      options: values,
      flags,
      configPath: values['config'] as string | undefined,
    });
  });
}

function usageErrorOf(error: CommanderError, argv: readonly string[]): UsageError {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  if (error.code === 'commander.help') {
    return new UsageError(argv.length === 0 ? 'no command given' : 'the command is not complete', {
      hint: 'Run `seawall --help` to see the commands.',
    });
  }
  const near = /Did you mean (?:one of )?(.+)\?/.exec(suggestion ?? '')?.[1];
  const help = argv[0] !== undefined && argv[0] in commands ? `seawall ${argv[0]} --help` : 'seawall --help';
  return new UsageError(message, {
    hint: `${near === undefined ? '' : `Did you mean ${near}? `}Run \`${help}\` to see what there is.`,
  });
}

import type { ResolvedSettings } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../context.ts';
import type { Environment } from '../storage/environment.ts';
import type { CommandDefinition } from './command.ts';

/** An option that stands for a setting. */
export interface SettingOption {
  /** What {@link Personality.resolve} knows the setting by. */
  readonly key: string;
  /** Commander's notation. */
  readonly flags: string;
  readonly description: string;
  /** Works, but is left out of the help. */
  readonly isHidden?: boolean;
}

/** The settings of one call, with everything that they came from. */
export interface CallSettings {
  readonly resolved: ResolvedSettings;
  /** Path of the configuration file that decides, if any. */
  readonly configPath: string | undefined;
  readonly environment: Environment;
  /** What was set and has no effect, a sentence. */
  readonly warning?: string | undefined;
}

/** How one program is spoken to and answers: under Seawall's own name, or as WAL-G. What the commands do is the same. */
export interface Personality {
  readonly name: 'seawall' | 'wal-g';
  readonly introduction: string;
  /** Commander's notation of the option that prints the version. */
  readonly versionFlags: string;
  /** What that option prints. */
  versionText(version: string): string;
  /** Every command by name, in the order of the help. Only the one that is called is loaded. */
  readonly commands: Readonly<Record<string, () => Promise<CommandDefinition>>>;
  /** Options that stand before or behind the command, whichever it is. */
  readonly commonOptions: readonly SettingOption[];
  /** Whether switches may have a value, `--confirm=true`. */
  readonly hasSwitchValues?: boolean;
  /** The options of one command that stand for its settings. */
  settingOptions(definition: CommandDefinition): readonly SettingOption[];
  /**
   * Settles the settings.
   *
   * @param flags - texts of the setting options that were given, by key
   * @throws {@link UsageError}, {@link ConfigError}
   */
  resolve(flags: Readonly<Record<string, string>>): Promise<CallSettings>;
  createLogger(settings: Pick<Settings, 'logLevel' | 'logFormat'>): Logger;
  /** Prints on stderr why a command failed. */
  reportError(error: unknown): void;
}

import { openEncryptionSettings } from '../config/encryption-settings.ts';
import type { ResolvedSettings } from '../config/resolve.ts';
import type { SettingName, Settings } from '../config/settings.ts';
import type { Context } from '../context.ts';
import type { Repository } from '../repository/repository.ts';
import type { Environment } from '../storage/environment.ts';

/** An option of one command that is not a setting, such as `--json`. */
export interface CommandOption {
  /** Commander's notation: `--json`, `--target-time <time>`. */
  readonly flags: string;
  readonly description: string;
  /** May be given several times; the values arrive as an array. */
  readonly repeatable?: boolean;
}

/** What a command's `run` is given. */
export interface CommandCall {
  /** Whether the program was called under its own name, or as WAL-G. */
  readonly personality: 'seawall' | 'wal-g';
  readonly args: readonly string[];
  /** What stands on the command line behind the arguments, as it stands there, when the arguments come first. */
  readonly flags: readonly string[];
  /** Values of the command's own options, by camel-case name: text, true, or an array of texts. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly settings: Settings;
  readonly resolved: ResolvedSettings;
  /** Path of the configuration file that was asked for, if any. */
  readonly configPath: string | undefined;
  readonly environment: Environment;
  readonly context: Context;
  /** Opens the repository that the settings name, with these changes; the caller disposes of it. */
  openRepository(changes?: Partial<Settings>): Promise<Repository>;
  /** Writes a result to stdout. */
  print(text: string): void;
  /** Writes bytes to stdout as they are; resolves when they are handed over. */
  printBytes(bytes: AsyncIterable<Uint8Array>): Promise<void>;
}

/** A command: one file in `commands/` each. */
export interface CommandDefinition {
  readonly name: string;
  /** Commander's notation: `<path>`, `[PGDATA]`. */
  readonly arguments: readonly { readonly notation: string; readonly description: string }[];
  readonly summary: string;
  /** More words for the command's own help. */
  readonly description?: string;
  /** The settings that this command takes as flags, besides {@link commonSettings}. WAL-G's own have none: there each setting is a flag of all. */
  readonly settings: readonly SettingName[];
  readonly options?: readonly CommandOption[];
  /** PostgreSQL calls it for every file: no place for what is to be said once. */
  readonly isCalledOften?: boolean;
  /** Command lines that the help shows first. */
  readonly examples: readonly string[];
  run(call: CommandCall): Promise<void>;
  /** The exit status after `run` threw, where it is not the one of the table. */
  failureStatus?(error: unknown, call: CommandCall): Promise<number>;
}

/** The settings that every command takes. */
export const commonSettings: readonly SettingName[] = [
  'repository',
  ...openEncryptionSettings,
  'retryDeadline',
  's3Endpoint',
  's3Region',
  's3PathStyle',
  's3StorageClass',
  's3Sse',
  's3SseKmsKeyId',
  's3CaCertFile',
  'gcsEndpoint',
  'azureEndpointSuffix',
  'logLevel',
  'logFormat',
];

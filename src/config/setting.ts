import { formatBytes, parseBytes } from '../util/bytes.ts';
import { formatDuration, parseDurationMs } from '../util/duration.ts';
import { Secret } from '../util/secret.ts';

/** One row of the settings table. */
export interface Setting<Value> {
  /** One or two sentences for the help, the README and `config show`. */
  readonly doc: string;
  /** Placeholder of the value in the help, e.g. `<url>`; without it the setting is a switch. */
  readonly placeholder: string;
  readonly default: Value;
  /** There is also a flag without a value, `--no-<name>`, which stands for `off`. */
  readonly hasOffFlag?: boolean;
  /** Never printed, and never a flag, which everybody could read in the list of processes. */
  readonly isSecret?: boolean;
  /** Other tools' environment variables that mean the same; ours wins over them, in this order. */
  readonly aliases: readonly string[];
  /** Readers for the texts of those whose tools write them in another way; they throw as `parse` does. */
  readonly aliasParsers?: Readonly<Record<string, (text: string) => Value>>;
  /** Reads the text of a flag, a variable or a file. @throws Error whose message says what is allowed */
  parse(text: string): Value;
  /** The value as `config show` prints it. */
  format(value: Value): string;
}

type Row<Value> = {
  readonly doc: string;
  readonly default: Value;
  readonly aliases?: readonly string[];
  readonly aliasParsers?: Readonly<Record<string, (text: string) => Value>>;
  readonly hasOffFlag?: boolean;
};

/** Free text. */
export function text(row: Row<string | undefined> & { readonly placeholder: string }): Setting<string | undefined> {
  return { aliases: [], ...row, parse: (value) => value, format: (value) => value ?? '' };
}

/** Any JSON, as its text: numbers in it may pass 2^53. */
export function json(row: Row<string | undefined>): Setting<string | undefined> {
  return {
    aliases: [],
    ...row,
    placeholder: '<json>',
    parse: (value) => {
      try {
        JSON.parse(value, requireFinite);
      } catch (error) {
        throw new Error('must be JSON, a text in double quotes, a number below 1e308', { cause: error });
      }
      return value;
    },
    format: (value) => value ?? '',
  };
}

/** What is written as 1e400 would be stored as null. */
function requireFinite(_name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('the number is too large');
  return value;
}

/** A key or a passphrase. */
export function secret(
  row: Omit<Row<undefined>, 'default'> & { readonly placeholder: string },
): Setting<Secret | undefined> {
  return {
    aliases: [],
    default: undefined,
    ...row,
    isSecret: true,
    parse: (value) => new Secret(value),
    format: (value) => value?.toString() ?? '',
  };
}

/** One of a few words. */
export function choice<const Word extends string>(words: readonly Word[], row: Row<NoInfer<Word>>): Setting<Word> {
  return {
    aliases: [],
    ...row,
    placeholder: `<${words.join('|')}>`,
    parse: (value) => {
      const word = words.find((candidate) => candidate === value);
      if (word === undefined) throw new Error(`must be one of ${words.join(', ')}`);
      return word;
    },
    format: (value) => value,
  };
}

/** A whole number within bounds. */
export function integer(minimum: number, maximum: number, row: Row<number>): Setting<number> {
  return {
    aliases: [],
    ...row,
    placeholder: '<n>',
    parse: (value) => {
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
      if (!(number >= minimum && number <= maximum))
        throw new Error(`must be a whole number from ${minimum} to ${maximum}`);
      return number;
    },
    format: String,
  };
}

/** A size in bytes, at least `minimum`. */
export function size(minimum: number, row: Row<number>): Setting<number> {
  return {
    aliases: [],
    ...row,
    placeholder: '<size>',
    parse: (value) => {
      const sizeBytes = parseBytes(value);
      if (sizeBytes === undefined || sizeBytes < minimum) {
        throw new Error(`must be a size of at least ${formatBytes(minimum)}, such as 64MiB`);
      }
      return sizeBytes;
    },
    format: formatBytes,
  };
}

/** A duration in milliseconds, above zero. */
export function duration(row: Row<number>): Setting<number> {
  return {
    aliases: [],
    ...row,
    placeholder: '<duration>',
    parse: (value) => {
      const ms = parseDurationMs(value);
      if (ms === undefined || ms <= 0) throw new Error('must be a duration such as 30s, 5min or 1h');
      return ms;
    },
    format: formatDuration,
  };
}

/** Yes or no; undefined leaves the choice to whoever uses it. */
export function toggle<Value extends boolean | undefined>(row: Row<Value>): Setting<Value | boolean> {
  return {
    aliases: [],
    ...row,
    placeholder: '<on|off>',
    parse: (value) => {
      if (/^(on|true|yes|1)$/i.test(value)) return true;
      if (/^(off|false|no|0)$/i.test(value)) return false;
      throw new Error('must be on or off');
    },
    format: (value) => (value === undefined ? '' : value ? 'on' : 'off'),
  };
}

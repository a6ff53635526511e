import { UsageError } from '../errors.ts';
import type { CommandCall } from './command.ts';

type Options = Pick<CommandCall, 'options'>;

/** The value of an option that takes a text; undefined when it was not given. */
export function textOption({ options }: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The values of an option that may be repeated. */
export function textsOption({ options }: Options, name: string): readonly string[] {
  const values = options[name];
  return Array.isArray(values) ? values.map(String) : [];
}

/** Whether a switch was given. */
export function switchOption({ options }: Options, name: string): boolean {
  return options[name] === true;
}

/** What the word of an option stands for. @throws {@link UsageError} for any other word */
export function choiceOption<Value>(
  call: Options,
  name: string,
  words: Readonly<Record<string, Value>>,
): Value | undefined {
  const word = textOption(call, name);
  if (word === undefined) return undefined;
  const value = words[word];
  if (value !== undefined) return value;
  const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(
    `bad value ${JSON.stringify(word)} for --${flag}: must be one of ${Object.keys(words).join(', ')}`,
  );
}

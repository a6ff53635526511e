import { UsageError } from '../../errors.ts';
import { parseJsonText } from '../../repository/json-object.ts';

/** JSON that an option or a setting holds. @throws {@link UsageError} naming the option when it is none */
export function parseJsonOption(text: string, flag: string): unknown {
  try {
    return parseJsonText(text);
  } catch (error) {
    throw new UsageError(`bad value ${JSON.stringify(text)} for ${flag}: not JSON`, {
      cause: error,
      hint: 'Write a text in double quotes within single ones: \'"nightly"\'.',
    });
  }
}

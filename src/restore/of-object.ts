import { describeError, IntegrityError } from '../errors.ts';

/** Damage, told of the object in which it was found, for parsers do not know what they read. Other errors stay as they are. */
export function ofObject(name: string, error: unknown): unknown {
  if (!(error instanceof IntegrityError) || error.message.includes(name)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new IntegrityError(`cannot read ${name}: ${describeError(error)}`, { cause: error, ...hint });
}

/** The same for a call that parses. */
export function inObject<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw ofObject(name, error);
  }
}

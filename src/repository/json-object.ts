import { parse, parseNumberAndBigInt, stringify } from 'lossless-json';
import { type ZodType, z } from 'zod';
import { describeError, IntegrityError } from '../errors.ts';
import type { CallOptions, ObjectStore } from '../storage/object-store.ts';
import { createJsonSplitter } from './json-splitter.ts';
import { nameOfObject } from './wal-archive.ts';

/**
 * The repository's JSON objects hold LSNs and system identifiers as bare 64-bit numbers, which pass 2^53: every integer is read
 * as a bigint and written back digit by digit.
 */

/** An LSN, a system identifier or a size: an integer from 0 to 2^64 - 1. */
export const unsigned64: ZodType<bigint> = z.bigint().min(0n).max(0xffff_ffff_ffff_ffffn);

/** A size or a count that a number holds exactly. */
export const safeCount: ZodType<number> = z.bigint().min(0n).max(BigInt(Number.MAX_SAFE_INTEGER)).transform(Number);

/** An instant as WAL-G writes it, RFC 3339 with up to nine digits; a Date keeps the milliseconds. */
export const instant: ZodType<Date> = z.string().transform((text, context) => {
  const at = new Date(text);
  if (!Number.isNaN(at.getTime())) return at;
  context.addIssue({ code: 'custom', message: `not an instant: ${JSON.stringify(text)}` });
  return z.NEVER;
});

/** A JSON object as it was read, with the time at which it was stored. */
export interface ReadJson<T> {
  readonly value: T;
  readonly modifiedAt: Date;
}

/** What is kept of a sentinel or a metadata object; the user's own data may be large. */
const sizeLimitBytes = 16 * 1024 * 1024;

/** A sentinel of WAL-G's first generation may hold the list of all files, which is not for this reader. */
const fileLists: ReadonlySet<string> = new Set(['Files', 'TarFileSets', 'DatabasesByNames']);

/**
 * Reads one JSON object and checks its shape. Lists of files are passed over.
 *
 * @throws {@link NotFoundError} when there is none
 * @throws {@link IntegrityError} naming the key, when it is not JSON, too large, or a field is missing or of the wrong type
 */
export async function readJsonObject<T>(
  store: ObjectStore,
  key: string,
  schema: ZodType<T>,
  options: CallOptions = {},
): Promise<ReadJson<T>> {
  const name = nameOfObject(store, key);
  const { body, modifiedAt } = await store.get(key, options);
  const members: string[] = [];
  let sizeBytes = 0;
  const splitter = createJsonSplitter({
    name,
    textLimitBytes: sizeLimitBytes,
    useOf: (member) => (fileLists.has(member) ? 'not at all' : 'whole'),
    onMember(member, text) {
      members.push(`${JSON.stringify(member)}:${text}`);
      sizeBytes += text.length;
      if (sizeBytes > sizeLimitBytes)
        throw new IntegrityError(`${name} is damaged: it has more than ${sizeLimitBytes} bytes`);
    },
  });
  for await (const chunk of body) splitter.write(chunk);
  splitter.end();
  return { value: parseJsonObject(Buffer.from(`{${members.join(',')}}`), schema, name), modifiedAt };
}

/** Parses and checks the bytes of a JSON object. @throws {@link IntegrityError} beginning with the given name */
export function parseJsonObject<T>(bytes: Uint8Array, schema: ZodType<T>, name: string): T {
  let parsed: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    parsed = parseJsonText(text);
  } catch (error) {
    throw new IntegrityError(`${name} is not JSON: ${describeError(error)}`, { cause: error });
  }
  const checked = schema.safeParse(parsed);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const place = issue?.path.join('.') || 'the object';
  throw new IntegrityError(`${name} is damaged: ${place}: ${issue?.message}`, { cause: checked.error });
}

/**
 * The value of a JSON text, with integers as bigint.
 *
 * @throws an `Error` of the runtime when it is not JSON, or has a number like 1e400, which would be written back as null
 */
export function parseJsonText(text: string): unknown {
  return parse(text, undefined, parseNumber);
}

function parseNumber(digits: string): number | bigint {
  const value = parseNumberAndBigInt(digits);
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw new RangeError(`the number ${digits} is too large`);
  }
  return value;
}

/** The bytes of a JSON object; a bigint becomes a bare number. */
export function formatJsonObject(value: object): Uint8Array {
  return new TextEncoder().encode(stringify(value));
}

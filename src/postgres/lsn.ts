import { UsageError } from '../errors.ts';

declare const lsnBrand: unique symbol;

/** A position in the write-ahead log: an unsigned 64-bit byte address. */
export type Lsn = bigint & { readonly [lsnBrand]: true };

const maximumLsn = 0xffff_ffff_ffff_ffffn;

/** Takes a number as an LSN. @throws {@link UsageError} when it does not fit into 64 unsigned bits */
export function toLsn(value: bigint): Lsn {
  if (value < 0n || value > maximumLsn) throw new UsageError(`not a 64-bit LSN: ${value}`);
  return value as Lsn;
}

/**
 * Parses PostgreSQL's text form, two hexadecimal halves: `1A/7F000028`. The low half may be zero-padded.
 *
 * @throws {@link UsageError} when the text has another shape
 * @see postgres src/backend/utils/adt/pg_lsn.c, pg_lsn_in_internal
 */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text.trim());
  if (match === null) {
    throw new UsageError(`not an LSN: ${JSON.stringify(text)}`, {
      hint: "Write it as PostgreSQL prints it, two hexadecimal numbers with a slash between them, for example '1A/7F000028'.",
    });
  }
  return ((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)) as Lsn;
}

/** PostgreSQL's text form without padding: `1A/7F000028`. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;
}

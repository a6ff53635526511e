import { isAscii, isUtf8 } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import type { AccountNames } from '../util/account-names.ts';
import { bytesOf } from '../util/byte-string.ts';

/**
 * Headers of tar entries: ustar, and a pax record in front of it for what a ustar header cannot hold. Names are byte strings
 * (each character is one byte), because a data directory may hold names in any encoding, and they keep their leading slash.
 * tar-stream's writer cannot serve here: it drops the leading slash of long names, takes names as UTF-8 only, and wraps times
 * after 2038 and user ids above 2097151.
 *
 * @see POSIX pax, "ustar Interchange Format" and "pax Extended Header"
 */

/** What a tar says about one entry. */
export interface TarEntry {
  /** `/base/1/259`; a byte string. */
  readonly name: string;
  readonly kind: 'file' | 'directory';
  /** 0 for a directory. */
  readonly sizeBytes: number;
  /** Permission bits; the kind of file is left out. */
  readonly mode: number;
  readonly userId: number;
  readonly groupId: number;
  /** Left out where it does not fit its field: the number says the same. */
  readonly userName?: string | undefined;
  readonly groupName?: string | undefined;
  /** Whole seconds since 1970. */
  readonly modifiedSeconds: number;
}

/** The entry of something in the data directory. @param path - relative to the data directory, '' for itself */
export function tarEntryOf(
  path: string,
  kind: TarEntry['kind'],
  status: BigIntStats,
  accounts?: AccountNames,
): TarEntry {
  return {
    name: `/${path}`,
    kind,
    sizeBytes: kind === 'file' ? Number(status.size) : 0,
    mode: Number(status.mode) & 0o7777,
    userId: Number(status.uid),
    groupId: Number(status.gid),
    userName: accounts?.users.get(Number(status.uid)),
    groupName: accounts?.groups.get(Number(status.gid)),
    modifiedSeconds: Number(status.mtimeNs / 1_000_000_000n),
  };
}

export const tarBlockBytes = 512;

/** Two empty blocks end an archive. */
export const tarEndBytes: number = 2 * tarBlockBytes;

const nameField = { offset: 0, length: 100 };
const prefixField = { offset: 345, length: 155 };
const largest7Octal = 0o7777777;
const largest11Octal = 0o77777777777;

/** How many zeros follow an entry's content up to the next block. */
export function tarPaddingBytes(sizeBytes: number): number {
  return (tarBlockBytes - (sizeBytes % tarBlockBytes)) % tarBlockBytes;
}

/** The header of one entry: 512 bytes, or with a pax record a multiple of them. */
export function encodeTarHeader(entry: TarEntry): Uint8Array {
  const records = paxRecords(entry);
  const header = encodeBlock(entry, entry.kind === 'directory' ? '5' : '0');
  if (records === '') return header;
  const paxBody = bytesOf(records);
  const paxEntry: TarEntry = {
    ...entry,
    name: `PaxHeaders.0/${entry.name.slice(entry.name.lastIndexOf('/') + 1)}`.slice(0, nameField.length),
    sizeBytes: paxBody.length,
    mode: 0o600,
    userId: 0,
    groupId: 0,
    userName: undefined,
    groupName: undefined,
    modifiedSeconds: 0,
  };
  return Buffer.concat([encodeBlock(paxEntry, 'x'), paxBody, Buffer.alloc(tarPaddingBytes(paxBody.length)), header]);
}

/** What does not fit into the fixed fields, as pax records `<length> <key>=<value>\n`. */
function paxRecords(entry: TarEntry): string {
  let records = '';
  const nameBytes = bytesOf(entry.name);
  // Bytes that are no UTF-8 have no place in a pax record, but fit into a ustar name as they are.
  if (splitName(entry.name) === undefined || (!isAscii(nameBytes) && isUtf8(nameBytes))) {
    records += paxRecord('path', entry.name);
  }
  if (entry.sizeBytes > largest11Octal) records += paxRecord('size', String(entry.sizeBytes));
  if (entry.userId > largest7Octal) records += paxRecord('uid', String(entry.userId));
  if (entry.groupId > largest7Octal) records += paxRecord('gid', String(entry.groupId));
  if (!fitsOctal(entry.modifiedSeconds, largest11Octal)) records += paxRecord('mtime', String(entry.modifiedSeconds));
  return records;
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  // The length counts its own digits, so one more digit may be needed to write it.
  const length = rest.length + String(rest.length + String(rest.length).length).length;
  return length + rest;
}

function encodeBlock(entry: TarEntry, typeFlag: string): Buffer {
  const block = Buffer.alloc(tarBlockBytes);
  const { prefix, name } = splitName(entry.name) ?? { prefix: '', name: entry.name.slice(0, nameField.length) };
  block.write(name, nameField.offset, 'latin1');
  writeOctal(block, 100, 8, entry.mode & 0o7777, largest7Octal);
  writeOctal(block, 108, 8, entry.userId, largest7Octal);
  writeOctal(block, 116, 8, entry.groupId, largest7Octal);
  writeOctal(block, 124, 12, entry.sizeBytes, largest11Octal);
  writeOctal(block, 136, 12, entry.modifiedSeconds, largest11Octal);
  block.write(typeFlag, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  writeAccount(block, 265, entry.userName);
  writeAccount(block, 297, entry.groupName);
  writeOctal(block, 329, 8, 0, largest7Octal);
  writeOctal(block, 337, 8, 0, largest7Octal);
  block.write(prefix, prefixField.offset, 'latin1');
  // The checksum is taken with its own field full of spaces.
  block.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A value too large for its field stays 0 there; its pax record counts. */
function writeOctal(block: Buffer, offset: number, length: number, value: number, largest: number): void {
  const digits = fitsOctal(value, largest) ? value : 0;
  block.write(`${digits.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
}

function writeAccount(block: Buffer, offset: number, name = ''): void {
  if (/^[\x21-\x7e]{1,31}$/.test(name)) block.write(name, offset, 'latin1');
}

function fitsOctal(value: number, largest: number): boolean {
  return value >= 0 && value <= largest;
}

/** A name over 100 bytes is cut at a slash into prefix and name; undefined when that is not possible. */
function splitName(name: string): { readonly prefix: string; readonly name: string } | undefined {
  if (name.length <= nameField.length) return { prefix: '', name };
  const cut = name.lastIndexOf('/', prefixField.length);
  const rest = name.slice(cut + 1);
  if (cut <= 0 || rest === '' || rest.length > nameField.length) return undefined;
  return { prefix: name.slice(0, cut), name: rest };
}

/** A whole tar of small files that are in memory. */
export function packContents(files: readonly { readonly entry: TarEntry; readonly content: Uint8Array }[]): Uint8Array {
  const pieces = files.flatMap(({ entry, content }) => [
    encodeTarHeader(entry),
    content,
    Buffer.alloc(tarPaddingBytes(content.byteLength)),
  ]);
  return Buffer.concat([...pieces, Buffer.alloc(tarEndBytes)]);
}

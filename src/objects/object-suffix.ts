import { knownSuffixes } from '../codec/codecs.ts';

/** The suffix that tells how an object is compressed, the one at the end of its key; empty when that is none we know. */
export function suffixOfKey(key: string): string {
  const suffix = /\.([^./]+)$/.exec(key)?.[1] ?? '';
  return knownSuffixes.includes(suffix) ? suffix : '';
}

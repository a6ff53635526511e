import { UsageError } from '../errors.ts';

/** The limit of S3 and of Google Cloud Storage; Azure allows 1024 characters. */
const maximumKeyBytes = 1024;

/**
 * Refuses what is not a key: see the rules at the top of `object-store.ts`. Control characters are refused too, since
 * a listing in XML (S3, Azure) cannot carry them.
 *
 * @throws {@link UsageError} naming the rule that is broken
 */
export function checkKey(key: string): void {
  const fault = faultOfKey(key);
  if (fault !== undefined) throw new UsageError(`not a key of a store: ${JSON.stringify(key)} ${fault}`);
}

/**
 * Refuses what no key can begin with. The last part may be unfinished, so `a/..` is a prefix (of `a/..b`), `a/../` is not.
 *
 * @throws {@link UsageError} naming the rule that is broken
 */
export function checkPrefix(prefix: string): void {
  const fault = prefix === '' ? undefined : faultOfKey(`${prefix}x`);
  if (fault !== undefined) throw new UsageError(`not a prefix of keys: ${JSON.stringify(prefix)} ${fault}`);
}

/**
 * Orders keys by their UTF-8 bytes, as every store lists them. JavaScript's own order is that of UTF-16 units, which
 * differs where a surrogate pair (U+10000 and above) meets U+E000 to U+FFFF.
 */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const leftUnit = left.charCodeAt(index);
    const rightUnit = right.charCodeAt(index);
    if (leftUnit !== rightUnit) return rankOfUnit(leftUnit) - rankOfUnit(rightUnit);
  }
  return left.length - right.length;
}

/** Moves the surrogates above all other units, where their code points are. */
function rankOfUnit(unit: number): number {
  return (unit & 0xf800) === 0xd800 ? unit + 0x10000 : unit;
}

function faultOfKey(key: string): string | undefined {
  if (key === '') return 'is empty';
  if (!key.isWellFormed()) return 'is not valid Unicode';
  if (Buffer.byteLength(key) > maximumKeyBytes) return `is longer than ${maximumKeyBytes} bytes`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(key)) return 'has a control character';
  if (key.startsWith('/')) return 'begins with a slash';
  for (const part of key.split('/')) {
    if (part === '') return 'has an empty part';
    if (part === '.' || part === '..') return `has a part ${JSON.stringify(part)}`;
  }
  return undefined;
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Cipher } from '../../src/codec/cipher.ts';
import { createCipher } from '../../src/codec/ciphers.ts';
import { codecForSuffix } from '../../src/codec/codecs.ts';
import { Secret } from '../../src/util/secret.ts';
import { inChunks } from '../support/byte-streams.ts';

const root = new URL('../fixtures/walg/objects/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The hashes of the plain files by name. */
const plainHashes = new Map(
  read('plain.sha256')
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([hash = '', name = '']) => [name, hash]),
);

const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const objects = folders.flatMap(({ name: folder }) =>
  readdirSync(new URL(`${folder}/wal_005/`, root)).map((object) => [folder, object] as const),
);

/** The cipher that the settings in a folder ask for. */
function cipherFor(folder: string): Cipher | undefined {
  const settings = Object.fromEntries(
    read(`${folder}/env`)
      .split('\n')
      .map((line) => line.split('=')),
  ) as Record<string, string | undefined>;
  if (folder.endsWith('openpgp')) {
    const keyFile = new URL('openpgp-private.gpg', root).pathname;
    return createCipher('openpgp', { keyFile, passphrase: new Secret('correct-horse') });
  }
  const key = settings['WALG_LIBSODIUM_KEY'];
  if (key === undefined) return undefined;
  const keyTransform = settings['WALG_LIBSODIUM_KEY_TRANSFORM'] === 'hex' ? 'hex' : 'none';
  return createCipher('libsodium', { key: new Secret(key), keyTransform });
}

describe("WAL-G's objects", () => {
  it.for(objects)('reads %s: %s', async ([folder, object]) => {
    const name = [...plainHashes.keys()].find((plain) => object === plain || object.startsWith(`${plain}.`)) ?? '';
    const codec = codecForSuffix(object.slice(name.length + 1));
    const stored = inChunks(readFileSync(new URL(`${folder}/wal_005/${object}`, root)), 10_007);
    const plain = codec?.decode(cipherFor(folder)?.decrypt(stored) ?? stored) ?? [];
    const hash = createHash('sha256');
    for await (const chunk of plain) hash.update(chunk);
    expect(hash.digest('hex')).toBe(plainHashes.get(name));
  });
});

import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { generateKey } from 'openpgp';
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { openpgpCipher } from '../../src/codec/openpgp/openpgp.ts';
import { beginningSizeBytes, looksPlain, recogniseCipher } from '../../src/codec/recognise.ts';
import { Secret } from '../../src/util/secret.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';

const beginningOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, beginningSizeBytes);

describe('looksPlain', () => {
  it.each(['zstd', 'lz4', 'brotli', 'lzma'] as const)('knows %s by its first bytes', async (name) => {
    const codec = createCodec(name);
    for (const sizeBytes of [0, 100, 300_000]) {
      const segment = Buffer.concat([Buffer.from([0x18, 0xd1, 6, 0]), walLikeBytes(sizeBytes)]).subarray(0, sizeBytes);
      const stored = await joined(codec.encode(inChunks(segment, 50_000)));
      expect(looksPlain(codec.suffix, beginningOf(stored)), `${sizeBytes} bytes`).toBe(true);
      expect(recogniseCipher(beginningOf(stored)), `${sizeBytes} bytes`).toBe(undefined);
    }
  });

  it('knows gzip, and frames that zstd and lz4 skip', () => {
    expect(looksPlain('gz', gzipSync('x'))).toBe(true);
    const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    expect(looksPlain('lz4', skippable)).toBe(true);
    expect(looksPlain('zst', skippable)).toBe(true);
  });

  it('knows WAL, tars and texts, which are stored as they are', () => {
    const tar = Buffer.alloc(512);
    tar.write('base/1/259');
    tar.write('ustar', 257);
    const plain = [
      Buffer.from([0x18, 0xd1, 7, 0, 1, 0, 0, 0, 0, 0, 0, 2]),
      tar,
      Buffer.from('1\t0/3000000\tno recovery target specified\n'),
      Buffer.from('START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nLABEL: für alle\n'),
      Buffer.alloc(0),
    ];
    for (const bytes of plain) expect(looksPlain('', bytes), bytes.toString('latin1')).toBe(true);
    expect(looksPlain('', Buffer.alloc(512))).toBe(false);
  });

  // Of as much noise, 16 were once taken for WAL: then a wrong key was said to be a missing one.
  it.each(['zst', 'lz4', 'gz', 'lzma', 'br', ''])(
    'takes hardly any noise for an object with the suffix "%s"',
    (suffix) => {
      const taken = Array.from({ length: 2_000 }, () => looksPlain(suffix, randomBytes(beginningSizeBytes)));
      expect(taken.filter(Boolean).length).toBeLessThan(4);
    },
  );

  it('does not expand all of a bomb', async () => {
    const bomb = await joined(createCodec('brotli').encode(inChunks(Buffer.alloc(64 * 1024 * 1024), 1024 * 1024)));
    expect(looksPlain('br', beginningOf(bomb))).toBe(true);
  });
});

describe('recogniseCipher', () => {
  it.each(['curve25519', 'rsa'] as const)('knows OpenPGP messages for keys of the kind %s', async (type) => {
    const { privateKey } = await generateKey({ type, rsaBits: 2048, userIDs: [{ name: 'test' }] });
    const stored = await joined(openpgpCipher({ key: new Secret(privateKey) }).encrypt(inChunks(walLikeBytes(100))));
    expect(recogniseCipher(beginningOf(stored))).toBe('openpgp');
  });

  it('knows data keys that AWS KMS has wrapped, and the headers of Yandex KMS', () => {
    const kms = randomBytes(512);
    kms.set([1, 2, 2, 0, 0x78]);
    kms.set([0x20, 0, 0xff, 0xff], 184);
    expect(recogniseCipher(kms)).toBe('aws-kms');
    expect(recogniseCipher(Buffer.from('yckms\x01 and so on'))).toBe('yandex-kms');
    expect(recogniseCipher(Buffer.from('envelope-yc-kms\x01 and so on'))).toBe('envelope-pgp');
  });

  it('knows nothing in noise', () => {
    const known = Array.from({ length: 1000 }, () => recogniseCipher(randomBytes(512))).filter(Boolean);
    expect(known.length).toBeLessThan(3);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LibsodiumKeyTransform, readLibsodiumKey } from '../../../src/codec/libsodium/key.ts';
import { ConfigError } from '../../../src/errors.ts';
import { Secret } from '../../../src/util/secret.ts';

const hex = '00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF';
const base64 = Buffer.from(hex, 'hex').toString('base64');

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'seawall-key-'));
});
afterAll(() => rm(directory, { recursive: true }));

const read = async (text: string, transform: LibsodiumKeyTransform): Promise<Buffer> =>
  (await readLibsodiumKey({ key: new Secret(text) }, transform)).reveal();

describe('readLibsodiumKey', () => {
  it('takes a text of 25 to 32 bytes, filled up with zeros', async () => {
    const text = 'a_passphrase_of_26_letters';
    expect(await read(text, 'none')).toEqual(Buffer.concat([Buffer.from(text), Buffer.alloc(6)]));
    expect(await read('x'.repeat(32), 'none')).toEqual(Buffer.alloc(32, 'x'));
  });

  it('takes the first 32 bytes of a longer text', async () => {
    expect(await read(hex, 'none')).toEqual(Buffer.from(hex.slice(0, 32)));
    expect(await read('é'.repeat(30), 'none')).toEqual(Buffer.from('é'.repeat(16)));
  });

  it('decodes hex and base64', async () => {
    expect(await read(hex, 'hex')).toEqual(Buffer.from(hex, 'hex'));
    expect(await read(base64, 'base64')).toEqual(Buffer.from(hex, 'hex'));
    expect(await read(`${base64.slice(0, 20)}\n${base64.slice(20)}\n`, 'base64')).toEqual(Buffer.from(hex, 'hex'));
  });

  it.for([
    ['none', 'x'.repeat(24), 'has 24 bytes, and needs at least 25'],
    ['none', '', 'has 0 bytes'],
    ['hex', hex.slice(2), 'has 31 bytes, and needs 32'],
    ['hex', `${hex}00`, 'has 33 bytes, and needs 32'],
    ['hex', hex.slice(1), 'is not hex'],
    ['hex', hex.replace('a', 'g'), 'is not hex'],
    ['base64', base64.slice(0, -1), 'is not base64'],
    ['base64', base64.replaceAll('/', '_').replaceAll('M', '_'), 'is not base64'],
    ['base64', 'AAAA', 'has 3 bytes, and needs 32'],
  ] as const)('refuses as %s: %s', async ([transform, text, message]) => {
    const refusal = await read(text, transform).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect((refusal as ConfigError).message).toContain(message);
    if (text.length > 10) expect(JSON.stringify(refusal)).not.toContain(text.slice(0, 10));
  });

  it('reads a file, and leaves out the white space around the key', async () => {
    const keyFile = join(directory, 'key');
    await writeFile(keyFile, `  ${hex}\r\n\n`);
    expect((await readLibsodiumKey({ keyFile }, 'hex')).reveal()).toEqual(Buffer.from(hex, 'hex'));
    await writeFile(keyFile, 'a_passphrase_of_26_letters\n');
    expect((await readLibsodiumKey({ keyFile }, 'none')).reveal().subarray(25)).toEqual(Buffer.from('s\0\0\0\0\0\0'));
  });

  it('takes the bytes of a file as they are, also where they are no text', async () => {
    const keyFile = join(directory, 'binary');
    const key = Buffer.from(Array.from({ length: 32 }, (_, index) => 0xff - index));
    await writeFile(keyFile, Buffer.concat([key, Buffer.from('\n')]));
    expect((await readLibsodiumKey({ keyFile }, 'none')).reveal()).toEqual(key);
  });

  it('names a file that it cannot read', async () => {
    const keyFile = join(directory, 'absent');
    await expect(readLibsodiumKey({ keyFile }, 'hex')).rejects.toThrow(`cannot read the libsodium key from ${keyFile}`);
  });
});

import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError, StoreError } from '../../src/errors.ts';
import { readTar } from '../../src/restore/tar-entries.ts';
import { byteStringAsText } from '../../src/util/byte-string.ts';
import { inChunks } from '../support/byte-streams.ts';
import { type TarMember, tarOf } from '../support/stored-backup.ts';

async function readAll(bytes: Uint8Array, pieceSizeBytes = 1000): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for await (const entry of readTar(inChunks(bytes, pieceSizeBytes), 'part_001.tar', true)) {
    contents[byteStringAsText(entry.name)] = entry.kind === 'file' ? await text(entry.body) : entry.kind;
  }
  return contents;
}

async function describeAll(bytes: Uint8Array): Promise<object[]> {
  const members: object[] = [];
  for await (const entry of readTar(inChunks(bytes, 4096), 'part_001.tar', true)) {
    members.push({ ...entry, body: await text(entry.body) });
  }
  return members;
}

const small = { name: 'PG_VERSION', content: '18\n' };
const page = { name: '/base/1/259', content: Buffer.alloc(8192, 'p') };

describe('reading a tar', () => {
  it('gives each member with its content, wherever the stream is cut into pieces', async () => {
    const bytes = await tarOf({ name: '/', type: 'directory' }, small, { name: 'empty' }, page);
    for (const pieceSizeBytes of [1, 511, 512, 513, 100_000]) {
      expect(await readAll(bytes, pieceSizeBytes)).toEqual({
        '/': 'directory',
        PG_VERSION: '18\n',
        empty: '',
        '/base/1/259': 'p'.repeat(8192),
      });
    }
  });

  it('gives modes, times and sizes', async () => {
    const mtime = new Date('2026-01-02T03:04:05Z');
    const bytes = await tarOf({ name: 'a', mode: 0o640, mtime, content: 'four' });
    const entries = await Array.fromAsync(readTar(inChunks(bytes, 512), 'part_001.tar', true));
    expect(entries[0]).toMatchObject({ mode: 0o640, modifiedAt: mtime, sizeBytes: 4, kind: 'file' });
  });

  it('skips a body that is not read', async () => {
    const bytes = await tarOf(page, small);
    const names = (await Array.fromAsync(readTar(inChunks(bytes, 700), 'part_001.tar', true))).map(
      (entry) => entry.name,
    );
    expect(names).toEqual(['/base/1/259', 'PG_VERSION']);
  });

  it('reads names that are longer than a tar header, and names beyond ASCII', async () => {
    const longName = `${'d'.repeat(120)}/${'ü'.repeat(90)}`;
    const bytes = await tarOf({ name: longName, content: 'x' }, small, { name: 'naïve', content: 'y' });
    expect(await readAll(bytes)).toEqual({ [longName]: 'x', PG_VERSION: '18\n', naïve: 'y' });
  });

  it('is not disturbed by zeros behind the end mark', async () => {
    const bytes = Buffer.concat([await tarOf(small), Buffer.alloc(10_240)]);
    expect(await readAll(bytes)).toEqual({ PG_VERSION: '18\n' });
  });

  it('refuses anything but zeros behind the end mark', async () => {
    const bytes = await tarOf(small);
    await expect(readAll(Buffer.concat([bytes, Buffer.from('rest')]))).rejects.toThrow(IntegrityError);
    await expect(readAll(Buffer.concat([bytes, Buffer.alloc(512, 'rest')]))).rejects.toThrow(IntegrityError);
    await expect(readAll(Buffer.concat([bytes, await tarOf(page)]))).rejects.toThrow(
      'part_001.tar goes on behind the end mark of the tar',
    );
  });

  it('stops at padding without end', async () => {
    const zeros = Buffer.alloc(1024 * 1024);
    let readBytes = 0;
    async function* bomb(): AsyncGenerator<Uint8Array> {
      yield await tarOf(small);
      for (; ; readBytes += zeros.length) yield zeros;
    }
    const reading = Array.fromAsync(readTar(bomb(), 'part_001.tar', true));
    await expect(reading).rejects.toThrow(
      new IntegrityError('part_001.tar goes on without end behind a member of the tar'),
    );
    expect(readBytes).toBeLessThan(70 * zeros.length);
  });

  it('refuses a tar that is cut off anywhere', async () => {
    const bytes = await tarOf(small, page);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.byteLength - 1 }), async (sizeBytes) => {
        await expect(readAll(bytes.subarray(0, sizeBytes))).rejects.toThrow(IntegrityError);
      }),
    );
  });

  it('need not have an end mark where the writer makes none, but must end with a member', async () => {
    const bytes = await tarOf(small, page);
    const names: string[] = [];
    const whole = bytes.subarray(0, -1024);
    for await (const { name } of readTar(inChunks(whole, 700), 'part_001.tar', false)) names.push(name);
    expect(names).toEqual(['PG_VERSION', '/base/1/259']);
    const reading = Array.fromAsync(readTar(inChunks(bytes.subarray(0, -1025), 700), 'part_001.tar', false));
    await expect(reading).rejects.toThrow(IntegrityError);
  });

  it('refuses a header with a flipped bit, unless the bit means nothing', async () => {
    const bytes = await tarOf(small);
    const whole = await describeAll(bytes);
    for (let bit = 0; bit < 512 * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await describeAll(damaged).catch((error: unknown) => error);
      if (!(outcome instanceof IntegrityError)) expect(outcome).toEqual(whole);
    }
  });

  it('passes an error of the source on as it is', async () => {
    const bytes = await tarOf(page);
    const failure = new StoreError('cannot read part_001.tar', { retryable: true });
    async function* failing(sizeBytes: number): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, sizeBytes);
      throw failure;
    }
    for (const sizeBytes of [0, 100, 512, 5000, 8704, 9000]) {
      const reading = (async () => {
        for await (const entry of readTar(failing(sizeBytes), 'part_001.tar', true)) await text(entry.body);
      })();
      await expect(reading).rejects.toBe(failure);
    }
  });

  it('closes the source when the reader leaves early', async () => {
    const bytes = await tarOf(page, small);
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(bytes, 100);
      } finally {
        isClosed = true;
      }
    }
    for await (const entry of readTar(source(), 'part_001.tar', true)) {
      expect(entry.name).toBe('/base/1/259');
      break;
    }
    expect(isClosed).toBe(true);
  });

  it.each(['link', 'character-device', 'block-device', 'fifo', 'contiguous-file'] as const)(
    'refuses a %s',
    async (type) => {
      const bytes = await tarOf(small, { name: 'base/1/259', type, linkname: '/etc/passwd' });
      await expect(readAll(bytes)).rejects.toThrow(`part_001.tar holds "base/1/259", a ${type}`);
    },
  );

  it('gives the bytes of a name that is not UTF-8', async () => {
    const bytes = await tarOf({ name: 'base/1/XYZ', content: 'x' });
    bytes.write('\xff', bytes.indexOf('XYZ'), 'latin1');
    // The header's checksum grows by as much as the byte did.
    const checksum = Number.parseInt(bytes.toString('latin1', 148, 154), 8) + 0xff - 'X'.charCodeAt(0);
    bytes.write(checksum.toString(8).padStart(6, '0'), 148, 'latin1');
    const [entry] = await Array.fromAsync(readTar(inChunks(bytes, 512), 'part_001.tar', true));
    expect(entry?.name).toBe('base/1/\xffYZ');
  });

  it('refuses a pax name that is not UTF-8', async () => {
    const bytes = await tarOf({ name: 'ü'.repeat(60), content: 'x' });
    bytes.write('\xff', bytes.indexOf('ü'), 'latin1');
    await expect(readAll(bytes)).rejects.toThrow('part_001.tar holds a name that is not UTF-8');
  });

  it('refuses sparse files', async () => {
    const bytes = await tarOf({ ...small, pax: { 'GNU.sparse.major': '1' } } as TarMember);
    await expect(readAll(bytes)).rejects.toThrow('part_001.tar holds "PG_VERSION" as a sparse file');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFileChecksum, fileChecksumAlgorithms } from '../../src/postgres/file-checksum.ts';

function checksumOf(algorithm: (typeof fileChecksumAlgorithms)[number], ...pieces: Uint8Array[]): string {
  const checksum = createFileChecksum(algorithm);
  for (const piece of pieces) checksum.update(piece);
  return checksum.digest();
}

describe('createFileChecksum', () => {
  it('writes CRC-32C with the lowest byte first', () => {
    // The check value of CRC-32C is e3069283.
    expect(checksumOf('CRC32C', Buffer.from('123456789'))).toBe('839206e3');
    expect(checksumOf('CRC32C')).toBe('00000000');
  });

  it('writes SHA-2 as it is usually written', () => {
    expect(checksumOf('SHA256', Buffer.from('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(fileChecksumAlgorithms.map((name) => checksumOf(name).length * 4)).toEqual([32, 224, 256, 384, 512]);
  });

  it.for(fileChecksumAlgorithms)('gives the same %s whatever the borders of the pieces', (algorithm) => {
    const property = fc.property(fc.array(fc.uint8Array()), (pieces) => {
      expect(checksumOf(algorithm, ...pieces)).toBe(checksumOf(algorithm, Buffer.concat(pieces)));
    });
    fc.assert(property);
  });
});

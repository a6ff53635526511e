/** Size of a data page; a server built with another one is not supported (`blcksz` in pg_control). */
export const pageSizeBytes = 8192;

/** Where the checksum lies in a page, two bytes, little-endian. */
export const pageChecksumOffset = 8;

const wordSizeBytes = 4;
const prime = 16_777_619;

/** Where the 32 hashes start from, random numbers that PostgreSQL fixed once and for all. */
const hashSeeds = Int32Array.of(
  ...[0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c],
  ...[0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa, 0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb],
  ...[0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de, 0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4],
  ...[0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756],
);

// A copy of the page with its checksum set to zero; used again for each page.
const copy = new Uint8Array(pageSizeBytes);
const words = new DataView(copy.buffer);

/**
 * The checksum that PostgreSQL gives a data page, 1 to 65535: 32 interleaved FNV-like hashes over its words, mixed with the block
 * number so that a page in the wrong place shows.
 *
 * @param page - {@link pageSizeBytes} bytes; the checksum that it carries does not count
 * @param blockNumber - in the whole fork, so block 0 of the file `<relation>.1` is 131072
 * @throws RangeError when the page has another size
 * @see postgres src/include/storage/checksum_impl.h, pg_checksum_page
 */
export function pageChecksum(page: Uint8Array, blockNumber: number): number {
  if (page.length !== pageSizeBytes) throw new RangeError(`a page has ${pageSizeBytes} bytes, not ${page.length}`);
  copy.set(page);
  words.setUint16(pageChecksumOffset, 0);

  const rowSizeBytes = hashSeeds.length * wordSizeBytes;
  let checksum = blockNumber;
  let column = 0;
  for (const seed of hashSeeds) {
    let hash = seed;
    for (let offset = column; offset < pageSizeBytes; offset += rowSizeBytes) {
      hash = mix(hash ^ words.getInt32(offset, true));
    }
    checksum ^= mix(mix(hash));
    column += wordSizeBytes;
  }
  return ((checksum >>> 0) % 65_535) + 1;
}

function mix(value: number): number {
  return Math.imul(value, prime) ^ (value >>> 17);
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCodec } from '../../src/codec/codecs.ts';
import { pageSizeBytes } from '../../src/postgres/page-checksum.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { runSeawall } from '../support/seawall.ts';
import { controlFileOf, labelText } from '../support/stored-backup.ts';
import { type WalgBackup, writeWalgBackup } from '../support/walg-backup.ts';
import { median } from './median.ts';

/** Seconds that a restore takes. */
export interface ChainTimes {
  /** How much of the cluster each delta holds. */
  readonly changedPercent: number;
  /** Of the full backup alone. */
  readonly fullSeconds: number;
  /** Of the last of five deltas upon it. */
  readonly chainSeconds: number;
}

const fileCount = 64;
const pagesPerFile = 1024;
const deltaCount = 5;

const segmentName = (segment: number) => `00000001${segment.toString(16).toUpperCase().padStart(16, '0')}`;
const startOf = (segment: number) => BigInt(segment) * 0x100_0000n + 0x28n;

/** Restores 512 MiB from a full backup and from a chain of deltas upon it, in turn; each delta has this part of all pages, of every file. */
export async function measureChain(repetitions: number, changedPercent: number): Promise<ChainTimes> {
  const folder = mkdtempSync(join(tmpdir(), 'seawall-chain-'));
  try {
    const repository = join(folder, 'repository');
    const [full, last] = await makeChain(repository, join(folder, 'data'), 100 / changedPercent);
    const fullSeconds: number[] = [];
    const chainSeconds: number[] = [];
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      fullSeconds.push(await measureRestore(repository, full, join(folder, 'restored')));
      chainSeconds.push(await measureRestore(repository, last, join(folder, 'restored')));
    }
    return { changedPercent, fullSeconds: median(fullSeconds), chainSeconds: median(chainSeconds) };
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 20, force: true });
  }
}

/** Writes the backups; gives the names of the first and the last. */
async function makeChain(
  repositoryFolder: string,
  dataDirectory: string,
  changedEvery: number,
): Promise<[full: string, last: string]> {
  mkdirSync(repositoryFolder);
  mkdirSync(join(dataDirectory, 'base/1'), { recursive: true });
  mkdirSync(join(dataDirectory, 'global'));
  writeFileSync(join(dataDirectory, 'PG_VERSION'), '18\n');
  writeFileSync(join(dataDirectory, 'global/pg_control'), controlFileOf());
  const repository = createRepository(createFilesystemStore(repositoryFolder), createCodec('zstd'));
  const files = Array.from({ length: fileCount }, () => Buffer.alloc(pagesPerFile * pageSizeBytes));
  const chain: WalgBackup[] = [];
  for (let step = 0; step <= deltaCount; step += 1) {
    const segment = 2 + 2 * step;
    for (const [index, file] of files.entries()) {
      for (let block = 0; block < pagesPerFile; block += 1) {
        if (step === 0 || (block + step + index) % changedEvery === 0)
          fillPage(file, block, startOf(segment) - 1n, step);
      }
      writeFileSync(join(dataDirectory, 'base/1', String(16_384 + index)), file);
    }
    const parent = chain.at(-1);
    const name = `base_${segmentName(segment)}${parent === undefined ? '' : `_D_${segmentName(segment - 2)}`}`;
    const label = labelText.replaceAll('0/2000028', `0/${startOf(segment).toString(16).toUpperCase()}`);
    const facts = { name, startLsn: startOf(segment), finishLsn: startOf(segment) + 0x100n, label };
    const systemIdentifier = 7_710_517_932_700_386_965n;
    const rest = { systemIdentifier, partSizeBytes: 128 * 1024 * 1024, ...(parent === undefined ? {} : { parent }) };
    chain.push(await writeWalgBackup(repository, dataDirectory, { ...facts, ...rest }));
  }
  return [chain[0]?.record.name ?? '', chain.at(-1)?.record.name ?? ''];
}

/** A page that shrinks to about a third when it is compressed, as those of tables do. */
function fillPage(file: Buffer, block: number, lsn: bigint, step: number): void {
  const page = file.subarray(block * pageSizeBytes, (block + 1) * pageSizeBytes);
  let random = (block * 7919 + step) | 1;
  for (let offset = 24; offset + 12 <= pageSizeBytes; offset += 12) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    page.writeUInt32LE(random, offset);
    page.fill(step, offset + 4, offset + 12);
  }
  page.writeUInt32LE(Number(lsn >> 32n), 0);
  page.writeUInt32LE(Number(lsn & 0xffff_ffffn), 4);
  page.writeUInt16LE(4096, 14);
}

async function measureRestore(repository: string, backup: string, directory: string): Promise<number> {
  const begunAtMs = performance.now();
  const { exitCode, stderr } = await runSeawall(['restore', backup, directory, '--repository', `file://${repository}`]);
  const seconds = (performance.now() - begunAtMs) / 1000;
  if (exitCode !== 0) throw new Error(`the restore of ${backup} failed: ${stderr}`);
  rmSync(directory, { recursive: true, maxRetries: 20 });
  return seconds;
}

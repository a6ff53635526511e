import { open } from 'node:fs/promises';
import { systemErrorCode } from '../errors.ts';
import { type CheckpointRecord, checkpointsOnPage, walPageSizeBytes } from '../postgres/checkpoint-record.ts';
import { type Lsn, toLsn } from '../postgres/lsn.ts';
import { fileError } from '../util/file-error.ts';

const blockSizeBytes = 128 * walPageSizeBytes;

/**
 * The last checkpoint in a segment before a position; undefined when there is none, or its record lies across two pages.
 *
 * @param startLsn - of the segment's first byte
 * @throws {@link LocalFileError} when the file cannot be read
 */
export async function findCheckpointBefore(
  path: string,
  startLsn: Lsn,
  before: Lsn,
): Promise<CheckpointRecord | undefined> {
  let last: CheckpointRecord | undefined;
  try {
    await using file = await open(path, 'r');
    const block = Buffer.alloc(blockSizeBytes);
    for (let position = 0; ; ) {
      const { bytesRead } = await file.read(block, 0, blockSizeBytes, position);
      for (let offset = 0; offset + walPageSizeBytes <= bytesRead; offset += walPageSizeBytes) {
        const pageLsn = toLsn(startLsn + BigInt(position + offset));
        const found = checkpointsOnPage(block.subarray(offset, offset + walPageSizeBytes), pageLsn);
        last = found.filter(({ lsn }) => lsn < before).at(-1) ?? last;
      }
      position += bytesRead;
      if (bytesRead < blockSizeBytes) return last;
    }
  } catch (error) {
    throw systemErrorCode(error) === undefined ? error : fileError(`cannot read ${path}`, path, error);
  }
}

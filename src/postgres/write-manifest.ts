import { createHash } from 'node:crypto';
import { byteStringAsText, bytesOf, isUtf8ByteString } from '../util/byte-string.ts';
import type { ManifestFile, ManifestHeader, ManifestWalRange } from './backup-manifest.ts';
import { formatLsn } from './lsn.ts';

/** Writes a manifest piece by piece: files as they come, then the end. */
export interface ManifestWriter {
  addFile(file: ManifestFile): void;
  /** Writes the rest, with the checksum of the manifest itself. */
  end(walRanges: readonly ManifestWalRange[]): void;
}

/**
 * Writes a backup manifest just as the server does, byte for byte.
 *
 * @param append - is given the text in pieces, whole lines or the beginnings of lines; the manifest is all of them in UTF-8
 * @see postgres src/backend/backup/backup_manifest.c
 */
export function createManifestWriter(header: ManifestHeader, append: (text: string) => void): ManifestWriter {
  const hash = createHash('sha256');
  const write = (text: string): void => {
    hash.update(text);
    append(text);
  };

  write(`{ "PostgreSQL-Backup-Manifest-Version": ${header.version},\n`);
  if (header.version === 2) write(`"System-Identifier": ${header.systemIdentifier},\n`);
  write('"Files": [');
  let separator = '\n';
  return {
    addFile: (file) => {
      write(separator + formatFile(file));
      separator = ',\n';
    },
    end: (walRanges) => {
      write(`\n],\n"WAL-Ranges": [\n${walRanges.map(formatWalRange).join(',\n')}\n],\n`);
      append(`"Manifest-Checksum": "${hash.digest('hex')}"}\n`);
    },
  };
}

function formatFile(file: ManifestFile): string {
  const checksum =
    file.checksum === undefined
      ? ''
      : `, "Checksum-Algorithm": "${file.checksum.algorithm}", "Checksum": "${file.checksum.hex}"`;
  const modified = `"Last-Modified": "${formatModified(file.modifiedAt)}"`;
  return `{ ${formatPath(file.path)}, "Size": ${file.sizeBytes}, ${modified}${checksum} }`;
}

function formatPath(path: string): string {
  return isUtf8ByteString(path)
    ? `"Path": ${JSON.stringify(byteStringAsText(path))}`
    : `"Encoded-Path": "${bytesOf(path).toString('hex')}"`;
}

/** `2026-11-21 08:12:11 GMT`. */
function formatModified(modifiedAt: Date): string {
  return `${modifiedAt.toISOString().slice(0, 19).replace('T', ' ')} GMT`;
}

function formatWalRange({ timeline, startLsn, endLsn }: ManifestWalRange): string {
  return `{ "Timeline": ${timeline}, "Start-LSN": "${formatLsn(startLsn)}", "End-LSN": "${formatLsn(endLsn)}" }`;
}

import { toByteString } from '../util/byte-string.ts';
import type { ManifestFile, ManifestWalRange } from './backup-manifest.ts';
import type { FileChecksumAlgorithm } from './file-checksum.ts';
import { parseLsn } from './lsn.ts';

/** One line of a manifest; `structure` stands for brackets. */
export type ManifestLine =
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'system-identifier'; readonly systemIdentifier: bigint }
  | { readonly kind: 'file'; readonly file: ManifestFile }
  | { readonly kind: 'wal-range'; readonly walRange: ManifestWalRange }
  | { readonly kind: 'checksum'; readonly checksum: string }
  | { readonly kind: 'structure' };

const path = '(?:"Path": ("(?:[^"\\\\]|\\\\.)*")|"Encoded-Path": "((?:[0-9a-f]{2})*)")';
const modified = '"Last-Modified": "(\\d{4}-\\d\\d-\\d\\d) (\\d\\d:\\d\\d:\\d\\d) GMT"';
const checksum = '"Checksum-Algorithm": "(CRC32C|SHA(?:224|256|384|512))", "Checksum": "([0-9a-f]+)"';
const lsn = '"([0-9A-F]{1,8}/[0-9A-F]{1,8})"';

const fileLine = new RegExp(`^\\{ ${path}, "Size": (\\d{1,15}), ${modified}(?:, ${checksum})? \\},?$`);
const walRangeLine = new RegExp(`^\\{ "Timeline": (\\d{1,10}), "Start-LSN": ${lsn}, "End-LSN": ${lsn} \\},?$`);
const versionLine = /^\{ "PostgreSQL-Backup-Manifest-Version": (\d+),$/;
const systemIdentifierLine = /^"System-Identifier": (\d{1,20}),$/;
const checksumLine = /^"Manifest-Checksum": "([0-9a-f]{64})"\}$/;
const structureLine = /^(?:"Files": \[|"WAL-Ranges": \[|\],|)$/;

/** Recognises a line, without its newline, as the server writes it; undefined for any other. */
export function parseManifestLine(text: string): ManifestLine | undefined {
  const file = fileLine.exec(text);
  if (file !== null) return parseFile(file);
  const range = walRangeLine.exec(text);
  if (range !== null) return parseWalRange(range);
  const version = versionLine.exec(text);
  if (version !== null) return { kind: 'version', version: Number(version[1]) };
  const systemIdentifier = systemIdentifierLine.exec(text)?.[1];
  if (systemIdentifier !== undefined) return { kind: 'system-identifier', systemIdentifier: BigInt(systemIdentifier) };
  const ownChecksum = checksumLine.exec(text)?.[1];
  if (ownChecksum !== undefined) return { kind: 'checksum', checksum: ownChecksum };
  return structureLine.test(text) ? { kind: 'structure' } : undefined;
}

function parseFile(match: RegExpExecArray): ManifestLine | undefined {
  const [, quotedPath, encodedPath, size, date, time, algorithm, hex] = match;
  const modifiedAt = new Date(`${date}T${time}Z`);
  const filePath = quotedPath === undefined ? decodePath(String(encodedPath)) : unquotePath(quotedPath);
  if (filePath === undefined || Number.isNaN(modifiedAt.getTime())) return undefined;
  const fileChecksum = hex === undefined ? undefined : { algorithm: algorithm as FileChecksumAlgorithm, hex };
  return { kind: 'file', file: { path: filePath, sizeBytes: Number(size), modifiedAt, checksum: fileChecksum } };
}

function decodePath(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}

function unquotePath(quoted: string): string | undefined {
  try {
    return toByteString(JSON.parse(quoted) as string);
  } catch {
    return undefined;
  }
}

function parseWalRange([, timeline, start, end]: RegExpExecArray): ManifestLine {
  const [startLsn, endLsn] = [parseLsn(String(start)), parseLsn(String(end))];
  return { kind: 'wal-range', walRange: { timeline: Number(timeline), startLsn, endLsn } };
}

import { createHash } from 'node:crypto';
import { IntegrityError } from '../errors.ts';
import { byteLines } from '../util/byte-lines.ts';
import type { ManifestFile, ManifestHeader, ManifestWalRange } from './backup-manifest.ts';
import { parseManifestLine } from './manifest-line.ts';

/** What a manifest holds besides its files. */
export type ManifestSummary = ManifestHeader & { readonly walRanges: readonly ManifestWalRange[] };

/**
 * Reads a manifest that PostgreSQL or {@link createManifestWriter} wrote, line by line, so that memory does not grow with the number
 * of files. Files are handed over as they come; only the return says that the manifest's own checksum is right.
 *
 * @throws {@link IntegrityError} when it is damaged, cut off, of another version, or laid out in another way
 */
export async function readManifest(
  source: AsyncIterable<Uint8Array>,
  onFile: (file: ManifestFile) => void,
): Promise<ManifestSummary> {
  const hash = createHash('sha256');
  const walRanges: ManifestWalRange[] = [];
  let version: number | undefined;
  let systemIdentifier: bigint | undefined;
  let isComplete = false;

  for await (const line of byteLines(source)) {
    if (isComplete) throw damaged('something follows its checksum');
    const text = line.toString();
    if (!text.endsWith('\n')) throw damaged('it is cut off');
    const parsed = parseManifestLine(text.slice(0, -1));
    switch (parsed?.kind) {
      case undefined:
        throw damaged(`it has the line ${JSON.stringify(text.slice(0, 200))}`);
      case 'file':
        onFile(parsed.file);
        break;
      case 'wal-range':
        walRanges.push(parsed.walRange);
        break;
      case 'version':
        version = parsed.version;
        break;
      case 'system-identifier':
        systemIdentifier = parsed.systemIdentifier;
        break;
      case 'checksum':
        if (parsed.checksum !== hash.digest('hex')) throw damaged('its checksum does not fit its content');
        isComplete = true;
        continue;
      case 'structure':
    }
    hash.update(line);
  }
  if (!isComplete) throw damaged('it is cut off');
  return { ...headerOf(version, systemIdentifier), walRanges };
}

function headerOf(version: number | undefined, systemIdentifier: bigint | undefined): ManifestHeader {
  if (version === 1) return { version };
  if (version === 2 && systemIdentifier !== undefined) return { version, systemIdentifier };
  throw damaged(version === 2 ? 'it has no system identifier' : `its version is ${version ?? 'missing'}`);
}

function damaged(what: string): IntegrityError {
  return new IntegrityError(`backup manifest is damaged: ${what}`);
}

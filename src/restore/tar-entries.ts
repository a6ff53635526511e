import { type Extract, extract, type Header } from 'tar-stream';
import { IntegrityError, SeawallError } from '../errors.ts';
import { byteStringAsText, toByteString } from '../util/byte-string.ts';

/** One member of a part. Its body is read to the end before the next member is asked for, or not at all. */
export interface TarEntry {
  /** As it stands in the tar, a byte string: a data directory may hold names in any encoding. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Where a symlink points to; empty for the others. */
  readonly linkName: string;
  /** The twelve permission bits. */
  readonly mode: number;
  readonly modifiedAt: Date;
  readonly sizeBytes: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** What tar-stream's types keep to themselves. */
interface FullHeader extends Omit<Header, 'type' | 'linkname'> {
  readonly type: Header['type'] | null;
  readonly linkname: string | null;
  /** Where the member's body begins in the tar. */
  readonly byteOffset: number;
  readonly pax: Readonly<Record<string, string>> | null;
}

const blockSizeBytes = 512;
/** POSIX ends an archive with two zero blocks. */
const endMarkSizeBytes = 2 * blockSizeBytes;

/**
 * At most so much may follow a member before the next one, or the end: an object of a few kilobytes may expand to padding without end.
 * One chunk of the stream may hold as much, in many small members.
 */
const mostBetweenBytes = 64 * 1024 * 1024;

/**
 * Reads the members of a tar that may be damaged or hostile. Behind the last one, nothing but zeros may follow. Errors of the source
 * pass through unchanged.
 *
 * @param objectName - names the tar in messages: its key
 * @param hasEndMark - whether the archive must have its end mark, without which it has been cut off, however well its last member
 *   ends; the parts of WAL-G's remote backups never have one
 * @throws {@link IntegrityError} for a damaged, truncated or continued tar; for hard links, devices, sparse files and other
 *   members that a data directory cannot have
 * @see POSIX pax, "ustar Interchange Format"
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  objectName: string,
  hasEndMark: boolean,
): AsyncGenerator<TarEntry> {
  // As UTF-8, tar-stream would replace what is no UTF-8 in silence.
  const extractor = extract({ filenameEncoding: 'latin1' } as object);
  const feeding = feed(source, extractor, objectName);
  const explain = (error: unknown): unknown => {
    if (feeding.sourceError !== undefined) return feeding.sourceError;
    if (error instanceof SeawallError) return error;
    return new IntegrityError(`cannot read ${objectName}: damaged tar`, { cause: error });
  };
  let endOffset = 0;
  try {
    for await (const entry of extractor) {
      const header = entry.header as unknown as FullHeader;
      checkContinuity(header, endOffset, objectName);
      endOffset = header.byteOffset + Math.ceil(header.size / blockSizeBytes) * blockSizeBytes;
      feeding.memberEndOffset = endOffset;
      yield describeEntry(entry as AsyncIterable<Uint8Array>, header, objectName, explain);
      entry.resume();
    }
  } catch (error) {
    throw explain(error);
  } finally {
    extractor.destroy();
    await feeding.finished;
  }
  if (hasEndMark && feeding.sizeBytes - endOffset < endMarkSizeBytes) {
    throw new IntegrityError(`${objectName} ends before the end mark of the tar`);
  }
}

interface Feeding {
  finished: Promise<void>;
  /** How much of the source has been passed on so far. */
  sizeBytes: number;
  /** Where the last member that has been seen ends. */
  memberEndOffset: number;
  /** What the source threw, or what is wrong with it. */
  sourceError: unknown;
}

/** Passes the source on to the extractor, as fast as that takes it. `finished` never rejects: a failure of the source is the extractor's failure. */
function feed(source: AsyncIterable<Uint8Array>, extractor: Extract, objectName: string): Feeding {
  const feeding: Feeding = { finished: Promise.resolve(), sizeBytes: 0, memberEndOffset: 0, sourceError: undefined };
  feeding.finished = (async () => {
    try {
      for await (const chunk of source) {
        if (extractor.destroyed) return;
        feeding.sizeBytes += chunk.byteLength;
        if (!extractor.write(chunk)) await drained(extractor);
        if (feeding.sizeBytes - feeding.memberEndOffset > mostBetweenBytes) {
          throw new IntegrityError(`${objectName} goes on without end behind a member of the tar`);
        }
      }
      extractor.end(undefined);
    } catch (error) {
      feeding.sourceError = error;
      extractor.destroy(error as Error);
    }
  })();
  return feeding;
}

async function drained(extractor: Extract): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = () => {
      extractor.off('drain', go);
      extractor.off('close', go);
      resolve();
    };
    extractor.once('drain', go);
    extractor.once('close', go);
  });
}

/** tar-stream reads on behind the end mark; a second archive there, which other readers would not see, is refused. */
function checkContinuity(header: FullHeader, endOffset: number, objectName: string): void {
  const headerOffset = header.byteOffset - blockSizeBytes;
  const mayHaveLongHeader = header.pax !== null || header.name.length > 100;
  if (headerOffset !== endOffset && !mayHaveLongHeader) {
    throw new IntegrityError(`${objectName} goes on behind the end mark of the tar`);
  }
}

function describeEntry(
  body: AsyncIterable<Uint8Array>,
  header: FullHeader,
  objectName: string,
  explain: (error: unknown) => unknown,
): TarEntry {
  const name = nameOf(header, objectName);
  const shownName = JSON.stringify(byteStringAsText(name));
  const kind = header.type;
  if (kind !== 'file' && kind !== 'directory' && kind !== 'symlink') {
    throw new IntegrityError(`${objectName} holds ${shownName}, a ${kind ?? 'member of unknown kind'}`, {
      hint: 'A data directory consists of files and directories only: do not trust this backup.',
    });
  }
  const sizeBytes = header.size;
  if (kind !== 'file' && sizeBytes !== 0) {
    throw new IntegrityError(`${objectName} holds ${shownName}, a ${kind} with content`);
  }
  if (Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse'))) {
    throw new IntegrityError(`${objectName} holds ${shownName} as a sparse file`);
  }
  return {
    name,
    kind,
    linkName: header.linkname ?? '',
    mode: header.mode & 0o7777,
    modifiedAt: header.mtime,
    sizeBytes,
    body: withExplainedErrors(body, explain),
  };
}

/** tar-stream reads the UTF-8 of a pax record by itself, and puts U+FFFD for what is none. */
function nameOf(header: FullHeader, objectName: string): string {
  const paxName = header.pax?.['path'];
  if (paxName === undefined) return header.name;
  if (!paxName.includes('\uFFFD')) return toByteString(paxName);
  throw new IntegrityError(`${objectName} holds a name that is not UTF-8: ${JSON.stringify(paxName)}`);
}

async function* withExplainedErrors(
  body: AsyncIterable<Uint8Array>,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw explain(error);
  }
}

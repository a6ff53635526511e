import { UsageError } from '../../errors.ts';

/**
 * The protocol of WAL-G's daemon, on a Unix socket. A request is a frame: its type, one ASCII character; the length of the whole frame,
 * 16 bits, the high byte first; the body. The answer is one character.
 *
 * - `C`, whatever the body: is anybody there? The connection stays open.
 * - `F`, the name of a WAL file: store it.
 * - `f`, two arguments, the name of a WAL file and where it goes: fetch it. Arguments stand behind one byte with their count, each
 *   behind 16 bits with its length.
 */

export type DaemonRequest = CheckRequest | PushRequest | FetchRequest;

export interface CheckRequest {
  readonly kind: 'check';
  readonly hasBody: boolean;
}

export interface PushRequest {
  readonly kind: 'push';
  /** A bare name, as WAL-G's clients send it, or `%p` of archive_command. */
  readonly path: string;
}

export interface FetchRequest {
  readonly kind: 'fetch';
  readonly fileName: string;
  /** `%p` of restore_command. */
  readonly destination: string;
}

/** `O`: done, for a push durable; `N`: proven to be absent; `E`: everything else. */
export type DaemonAnswer = 'O' | 'N' | 'E';

export interface Frame {
  readonly type: string;
  readonly body: Uint8Array;
}

const headerBytes = 3;

/** The largest frame that 16 bits can announce. */
export const largestFrameBytes = 0xffff;

/**
 * Takes the first frame off what has been received; undefined while it is not complete.
 *
 * @throws {@link UsageError} when it says to be shorter than its own header
 */
export function takeFrame(received: Buffer): { readonly frame: Frame; readonly rest: Buffer } | undefined {
  if (received.length < headerBytes) return undefined;
  const sizeBytes = received.readUInt16BE(1);
  if (sizeBytes < headerBytes) throw new UsageError(`malformed request: a frame of ${sizeBytes} bytes`);
  if (received.length < sizeBytes) return undefined;
  const frame = { type: received.toString('latin1', 0, 1), body: received.subarray(headerBytes, sizeBytes) };
  return { frame, rest: received.subarray(sizeBytes) };
}

/** What a frame asks for. @throws {@link UsageError} when nothing is known by its type, or its body is malformed */
export function parseRequest({ type, body }: Frame): DaemonRequest {
  switch (type) {
    case 'C':
      return { kind: 'check', hasBody: body.length > 0 };
    case 'F':
      return { kind: 'push', path: textOf(untilZero(body)) };
    case 'f': {
      const [fileName, destination, ...others] = parseArguments(body);
      if (fileName === undefined || destination === undefined || others.length > 0) {
        throw new UsageError('malformed request: wal-fetch takes a name and a destination');
      }
      return { kind: 'fetch', fileName, destination };
    }
    default:
      throw new UsageError(`malformed request: unknown type ${JSON.stringify(type)}`);
  }
}

function parseArguments(body: Uint8Array): string[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const found: string[] = [];
  let offset = 1;
  for (let left = body[0] ?? 0; left > 0; left -= 1) {
    const end = offset + 2 > body.length ? Number.POSITIVE_INFINITY : offset + 2 + view.getUint16(offset);
    if (end > body.length) throw new UsageError('malformed request: an argument is cut off');
    found.push(textOf(body.subarray(offset + 2, end)));
    offset = end;
  }
  if (offset < body.length) throw new UsageError('malformed request: bytes behind the last argument');
  return found;
}

/** The archive module walg_archive always sends 24 bytes, so a shorter name ends with a zero and whatever lay behind it. */
function untilZero(body: Uint8Array): Uint8Array {
  const end = body.indexOf(0);
  return end < 0 ? body : body.subarray(0, end);
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UsageError('malformed request: a name that is not UTF-8', { cause: error });
  }
}

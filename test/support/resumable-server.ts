import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32c } from '@node-rs/crc32';

/** What the server does with one chunk instead of taking all of it and saying so. */
export type ChunkFault =
  /** Keeps the first bytes only, and says so. */
  | { readonly kind: 'keeps'; readonly bytes: number }
  /** Keeps the first bytes only, and breaks the connection. */
  | { readonly kind: 'breaks'; readonly afterBytes: number }
  /** Answers with this status and keeps nothing. */
  | { readonly kind: 'answers'; readonly status: number };

export interface ResumableServer extends AsyncDisposable {
  readonly url: string;
  /** One per chunk, in their order; undefined for a chunk that goes well. */
  readonly faults: (ChunkFault | undefined)[];
  /** `content-range` of each PUT. */
  readonly ranges: string[];
  /** The finished object. */
  readonly stored: Buffer | undefined;
  /** Whether the upload was cancelled. */
  readonly isCancelled: boolean;
}

/**
 * Takes one resumable upload as Google's documentation describes it, in particular the question how far an upload is
 * (`content-range: bytes *\/*`), which fake-gcs-server takes for its end.
 *
 * @see Google Cloud Storage documentation, "Perform resumable uploads"
 */
export async function startResumableServer(): Promise<ResumableServer> {
  const state = {
    faults: [] as (ChunkFault | undefined)[],
    ranges: [] as string[],
    received: Buffer.alloc(0),
    stored: undefined as Buffer | undefined,
    isCancelled: false,
  };

  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      await request.resume().toArray();
      response.writeHead(200, { location: `http://${request.headers.host}/session` }).end();
    } else if (request.method === 'DELETE') {
      state.isCancelled = true;
      response.writeHead(499).end();
    } else {
      await take(request, response);
    }
  });

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const range = String(request.headers['content-range']);
    const bytes = Buffer.concat(await request.toArray());
    state.ranges.push(range);
    const isQuestion = range === 'bytes */*';
    const fault = isQuestion ? undefined : state.faults.shift();
    if (fault?.kind === 'answers') return void response.writeHead(fault.status).end();

    const start = Number(/^bytes (\d+)-/.exec(range)?.[1] ?? state.received.length);
    const kept =
      fault === undefined ? bytes : bytes.subarray(0, fault.kind === 'keeps' ? fault.bytes : fault.afterBytes);
    // Bytes that are there already are ignored.
    state.received = Buffer.concat([state.received, kept.subarray(state.received.length - start)]);
    const total = Number(/\/(\d+)$/.exec(range)?.[1]);
    if (state.received.length === total) state.stored = state.received;
    if (fault?.kind === 'breaks') return void request.socket.resetAndDestroy();
    if (state.stored === undefined) {
      const end = state.received.length - 1;
      response.writeHead(308, end < 0 ? {} : { range: `bytes=0-${end}` }).end();
      return;
    }
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32c(state.stored));
    const object = {
      name: 'object',
      size: String(state.stored.length),
      crc32c: checksum.toString('base64'),
      generation: '1',
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(object));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults: state.faults,
    ranges: state.ranges,
    get stored() {
      return state.stored;
    },
    get isCancelled() {
      return state.isCancelled;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AlteringProxy extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** How many uploads were altered so far. */
  readonly altered: number;
}

/** Bodies of this size and more are uploads of WAL; smaller ones are the protocol's own. */
const uploadBytes = 100_000;

/** Stands in front of a storage service like a network that flips a bit in the middle of every upload, and alters nothing else. */
export async function startAlteringProxy(targetUrl: string): Promise<AlteringProxy> {
  let altered = 0;
  const handOn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await request.toArray());
    if (body.length >= uploadBytes) {
      altered += 1;
      const middle = Math.floor(body.length / 2);
      body[middle] = (body[middle] ?? 0) ^ 1;
    }
    const target = new URL(request.url ?? '', targetUrl);
    const { 'transfer-encoding': _chunked, ...headers } = { ...request.headers, 'content-length': String(body.length) };
    const upstream = forward(target, { method: request.method, headers, setHost: false });
    upstream.end(body);
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  };
  const server = createServer((request, response) => {
    handOn(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get altered() {
      return altered;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

/** What the proxy does with a request instead of handing it on and answering. */
export type ProxyFault =
  /** Answers itself; the server never hears of it. A body is sent as XML unless the headers say otherwise. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Breaks the connection before the server has heard of it. */
  | { readonly kind: 'reset' }
  /** Lets the server do it, then breaks the connection without an answer. */
  | { readonly kind: 'reset-after' }
  /** Breaks the connection after so many bytes of the answer's body. */
  | { readonly kind: 'truncate'; readonly afterBytes: number }
  /** Takes the request and never answers. */
  | { readonly kind: 'hang' };

/** Which requests go wrong; what is left out fits every request. */
interface ProxyRule {
  readonly method?: string;
  /** Path and query, as sent. */
  readonly path?: RegExp;
  /** How often it strikes, once unless told. */
  readonly times?: number;
  readonly fault: ProxyFault;
}

interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
}

export interface FaultProxy extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** What was asked for so far. */
  readonly requests: readonly ProxiedRequest[];
  /** Adds a rule; of several that fit a request the oldest counts. */
  inject(rule: ProxyRule): void;
}

/** The answers by which S3 says that it has too much to do, or that a conditional write met another one. */
export const slowDown: ProxyFault = s3Error(503, 'SlowDown', 'Please reduce your request rate.');
export const conditionalConflict: ProxyFault = s3Error(
  409,
  'ConditionalRequestConflict',
  'A conflicting operation occurred.',
);
/** Status 200 with an error below it: S3 answers so when it has begun to answer before it fails. */
export const errorBehind200: ProxyFault = s3Error(
  200,
  'InternalError',
  'We encountered an internal error. Please try again.',
);

/** Stands in front of a real HTTP server and hands everything on unchanged, `Host` included (signatures cover it), but for its faults. */
export async function startFaultProxy(targetUrl: string): Promise<FaultProxy> {
  const rules: { rule: ProxyRule; left: number }[] = [];
  const requests: ProxiedRequest[] = [];

  const server = createServer((request, response) => {
    const [method, path] = [request.method ?? '', request.url ?? ''];
    requests.push({ method, path });
    const entry = rules.find(
      ({ rule, left }) => left > 0 && (rule.method ?? method) === method && (rule.path ?? /^/).test(path),
    );
    if (entry !== undefined) entry.left -= 1;
    handle(request, response, new URL(path, targetUrl), entry?.rule.fault).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    inject: (rule) => void rules.push({ rule, left: rule.times ?? 1 }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  target: URL,
  fault: ProxyFault | undefined,
): Promise<void> {
  if (fault?.kind === 'reset') return reset(request);
  if (fault?.kind === 'hang') return void request.resume();
  if (fault?.kind === 'answer') {
    await request.resume().toArray();
    response.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers }).end(fault.body);
    return;
  }
  const upstream = forward(target, { method: request.method, headers: request.headers, setHost: false });
  // A failure on either side surfaces as an 'error' of the request to the server; its early answer is still an answer.
  pipeline(request, upstream).catch(() => undefined);
  const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
  if (fault?.kind === 'reset-after') {
    await answer.resume().toArray();
    return reset(request);
  }
  response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
  if (fault?.kind !== 'truncate') return await pipeline(answer, response);
  let left = fault.afterBytes;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    response.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) break;
  }
  // The bytes above must be on their way before the connection breaks.
  setTimeout(() => request.socket.destroy(), 50);
}

/** The client sees ECONNRESET, not an orderly end. */
function reset(request: IncomingMessage): void {
  request.socket.resetAndDestroy();
}

function s3Error(status: number, code: string, message: string): ProxyFault {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { kind: 'answer', status, body };
}

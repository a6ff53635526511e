import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conditionalConflict, errorBehind200, slowDown, startFaultProxy } from './fault-proxy.ts';

let server: Server;
let serverUrl: string;
const seen: string[] = [];

/** Answers with what it was asked, 100,000 times. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request);
    seen.push(`${request.method} ${request.url} ${request.headers.host} ${body.length}`);
    response.end(body === '' ? 'x'.repeat(100_000) : body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

describe('a fault proxy', () => {
  it('hands requests and answers on as they are, the Host header included', async () => {
    await using proxy = await startFaultProxy(serverUrl);
    const answer = await fetch(`${proxy.url}/a%20b?c=d`, { method: 'PUT', body: 'z'.repeat(1_000_000) });
    expect((await answer.text()).length).toBe(1_000_000);
    expect(seen.at(-1)).toBe(`PUT /a%20b?c=d ${proxy.url.slice('http://'.length)} 1000000`);
    expect(proxy.requests).toEqual([{ method: 'PUT', path: '/a%20b?c=d' }]);
  });

  it('answers for the server, so many times', async () => {
    await using proxy = await startFaultProxy(serverUrl);
    proxy.inject({ method: 'PUT', times: 2, fault: slowDown });
    proxy.inject({ path: /conflict/, fault: conditionalConflict });
    proxy.inject({ path: /complete/, fault: errorBehind200 });
    const statuses: number[] = [];
    for (const path of ['a', 'a', 'a', 'conflict']) {
      statuses.push((await fetch(`${proxy.url}/${path}`, { method: 'PUT', body: 'x' })).status);
    }
    expect(statuses).toEqual([503, 503, 200, 409]);
    const complete = await fetch(`${proxy.url}/complete`, { method: 'POST', body: 'x' });
    expect([complete.status, await complete.text()]).toEqual([
      200,
      expect.stringContaining('<Code>InternalError</Code>'),
    ]);
  });

  it('breaks connections before and after the server has done its work', async () => {
    await using proxy = await startFaultProxy(serverUrl);
    proxy.inject({ path: /before/, fault: { kind: 'reset' } });
    proxy.inject({ path: /after/, fault: { kind: 'reset-after' } });
    await expect(fetch(`${proxy.url}/before`, { method: 'PUT', body: 'x' })).rejects.toThrow();
    expect(seen.some((line) => line.includes('/before'))).toBe(false);
    await expect(fetch(`${proxy.url}/after`, { method: 'PUT', body: 'x' })).rejects.toThrow();
    expect(seen.at(-1)).toContain('/after');
  });

  it('breaks off in the middle of a body', async () => {
    await using proxy = await startFaultProxy(serverUrl);
    proxy.inject({ fault: { kind: 'truncate', afterBytes: 1000 } });
    const answer = await fetch(`${proxy.url}/a`);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  it('hangs', async () => {
    await using proxy = await startFaultProxy(serverUrl);
    proxy.inject({ fault: { kind: 'hang' } });
    await expect(fetch(`${proxy.url}/a`, { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout');
  });
});

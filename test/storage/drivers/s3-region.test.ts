import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askForRegion } from '../../../src/storage/drivers/s3-region.ts';

/** The URL of a bucket on a server that answers so. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket`;
}

describe('the region of a bucket', () => {
  it.each([200, 301, 403])(
    'is read from an answer of status %i, which was asked for without credentials',
    async (status) => {
      const requests: (string | undefined)[] = [];
      const url = await serve((request, response) => {
        requests.push(request.method, request.url, request.headers.authorization);
        response.writeHead(status, { 'x-amz-bucket-region': 'eu-central-1' }).end();
      });
      expect(await askForRegion(url, {})).toBe('eu-central-1');
      expect(requests).toEqual(['HEAD', '/bucket', undefined]);
    },
  );

  it('is not known when the answer does not name it, or none comes', async () => {
    expect(await askForRegion(await serve((_request, response) => response.writeHead(404).end()), {})).toBeUndefined();
    expect(await askForRegion(await serve((request) => request.destroy()), {})).toBeUndefined();
    expect(await askForRegion('http://127.0.0.1:1/bucket', {})).toBeUndefined();
  });
});

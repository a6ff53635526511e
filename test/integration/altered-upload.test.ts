import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAlteringProxy } from '../support/altering-proxy.ts';
import { walLikeBytes } from '../support/byte-streams.ts';
import type { RepositoryAddress } from '../support/journey.ts';
import { runSeawall } from '../support/seawall.ts';
import { makeRepository } from '../support/service-repositories.ts';
import { describeService } from '../support/services.ts';
import { makeSegment } from '../support/wal-segment.ts';

const fileName = '000000010000000000000002';
let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-altered-'));
  path = join(folder, fileName);
  writeFileSync(path, makeSegment({ fileName, content: walLikeBytes(900_000) }));
});
afterAll(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

function itNotices(serviceUrl: string, open: (url: string, bucket: string) => Promise<RepositoryAddress>): void {
  it('wal-push does not end with 0 when its bytes change on their way', async () => {
    await using proxy = await startAlteringProxy(serviceUrl);
    const { flags, environment = {} } = await open(proxy.url, `altered-${randomUUID()}`);
    const args = ['wal-push', path, ...flags, '--retry-deadline', '1s'];
    const result = await runSeawall(args, { env: environment });
    expect(proxy.altered).toBeGreaterThan(0);
    expect(result).toMatchObject({ exitCode: expect.toSatisfy((status) => status > 0 && status <= 125), stdout: '' });
    expect(result.stderr).toContain(`${fileName}.zst`);
  });
}

await describeService('s3', 'to S3', (service) => {
  itNotices(service.endpoint, (endpoint, bucket) => makeRepository.s3({ ...service, endpoint }, bucket));
});

await describeService('gcs', 'to Google Cloud Storage', (service) => {
  itNotices(service.apiEndpoint, (apiEndpoint, bucket) => makeRepository.gcs({ ...service, apiEndpoint }, bucket));
});

await describeService('azure', 'to Azure Blob Storage', (service) => {
  const { origin } = new URL(service.endpoint);
  itNotices(origin, (url, container) => {
    const connectionString = service.connectionString.replace(origin, url);
    return makeRepository.azure({ ...service, connectionString }, container);
  });
});

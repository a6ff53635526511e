import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { RepositoryAddress } from '../support/journey.ts';
import { runSeawall } from '../support/seawall.ts';
import { makeRepository } from '../support/service-repositories.ts';
import { describeService } from '../support/services.ts';
import { makeSegment } from '../support/wal-segment.ts';

const fileName = '000000010000000000000002';

type Environment = Readonly<Record<string, string>>;

await describeService('s3', 'WALG_S3_PREFIX', (service) => {
  itIsTheSameRepository(
    (bucket) => makeRepository.s3(service, bucket),
    (bucket) => ({
      WALG_S3_PREFIX: `s3://${bucket}/clusters/`,
      AWS_ENDPOINT: service.endpoint,
      AWS_S3_FORCE_PATH_STYLE: 'true',
      WALG_AWS_REGION: service.region,
      WALE_AWS_ACCESS_KEY_ID: service.accessKeyId,
      WALG_AWS_SECRET_ACCESS_KEY: service.secretAccessKey,
    }),
  );
});

await describeService('gcs', 'WALG_GS_PREFIX', (service) => {
  itIsTheSameRepository(
    (bucket) => makeRepository.gcs(service, bucket),
    (bucket) => ({ WALG_GS_PREFIX: `gs://${bucket}//clusters`, STORAGE_EMULATOR_HOST: service.apiEndpoint }),
  );
});

await describeService('azure', 'WALG_AZ_PREFIX', (service) => {
  itIsTheSameRepository(
    (container) => makeRepository.azure(service, container),
    (container) => ({
      WALG_AZ_PREFIX: `azure://${container}/clusters`,
      AZURE_STORAGE_CONNECTION_STRING: service.connectionString,
    }),
  );
});

/** @param walgVariables - name the folder `clusters` in the bucket; the repository lies in `main` below it */
function itIsTheSameRepository(
  open: (bucket: string) => Promise<RepositoryAddress>,
  walgVariables: (bucket: string) => Environment,
): void {
  it('names the repository whose address the setting has, in both directions', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seawall-walg-'));
    onTestFinished(() => rmSync(folder, { recursive: true, maxRetries: 20 }));
    writeFileSync(join(folder, fileName), makeSegment({ fileName }));
    const bucket = `walg-${randomUUID()}`;
    const { flags, environment = {} } = await open(bucket);
    const variables = { ...walgVariables(bucket), WALG_STORAGE_PREFIX: '/main/', HOME: folder };

    const pushed = await runSeawall(['wal-g', 'wal-push', fileName], { cwd: folder, env: variables });
    expect(pushed).toMatchObject({ exitCode: 0, stderr: '' });
    const fetched = await runSeawall(['wal-fetch', fileName, 'ours', ...flags], { cwd: folder, env: environment });
    expect(fetched).toMatchObject({ exitCode: 0, stderr: '' });
    for (const call of [['wal-fetch', fileName, 'own'], ['wal-g', 'wal-fetch', fileName, 'walg'], ['backup-list']]) {
      expect(await runSeawall(call, { cwd: folder, env: variables }), call.join(' ')).toMatchObject({ exitCode: 0 });
    }
    const missing = ['wal-g', 'wal-fetch', '0000000100000000000000FF', 'missing'];
    expect(await runSeawall(missing, { cwd: folder, env: variables })).toMatchObject({ exitCode: 74 });
  });
}

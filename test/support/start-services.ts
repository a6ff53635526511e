import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceEndpoints } from './services.ts';
import { freePort, startContainer, startServer } from './start-server.ts';

/** A service that answers. */
export interface RunningService<Endpoint> {
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

const s3Keys = { region: 'us-east-1', accessKeyId: 'contract-tests', secretAccessKey: 'not-a-secret-outside-this-run' };
const azureAccount = 'devstoreaccount1';

/** Azurite's published key, the same everywhere. */
const azureAccountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** An S3 server on a directory of its own: versitygw from PATH or Go's bin directory, else its container image. */
export async function startVersitygw(): Promise<RunningService<ServiceEndpoints['s3']>> {
  const environment = { ROOT_ACCESS_KEY: s3Keys.accessKeyId, ROOT_SECRET_KEY: s3Keys.secretAccessKey };
  const folder = await mkdtemp(join(tmpdir(), 'seawall-versitygw-'));
  const removeFolder = () => rm(folder, { recursive: true, maxRetries: 20, force: true });
  const [data, metadata] = [join(folder, 'data'), join(folder, 'metadata')];
  await Promise.all([mkdir(data), mkdir(metadata)]);
  const port = await freePort();
  const options = ['--quiet', '--port', `127.0.0.1:${port}`, 'posix', '--sidecar', metadata, data];
  try {
    const server =
      (await startServer('versitygw', options, port, environment)) ??
      (await startContainer({
        image: 'versity/versitygw:v1.8.0',
        command: ['--port', ':7070', 'posix', '--sidecar', '/metadata', '/data'],
        port: 7070,
        environment,
        folders: ['/data', '/metadata'],
      }));
    return { endpoint: { endpoint: server.url, ...s3Keys }, stop: () => server.stop().then(removeFolder) };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

/** A Google Cloud Storage server in memory: fake-gcs-server from PATH or Go's bin directory, else its container image. */
export async function startFakeGcs(): Promise<RunningService<ServiceEndpoints['gcs']>> {
  const common = ['-scheme', 'http', '-backend', 'memory', '-log-level', 'error'];
  const port = await freePort();
  const server =
    (await startServer('fake-gcs-server', [...common, '-host', '127.0.0.1', '-port', String(port)], port)) ??
    (await startContainer({
      image: 'fsouza/fake-gcs-server:1.56.1',
      command: [...common, '-port', '4443'],
      port: 4443,
    }));
  return { endpoint: { apiEndpoint: server.url, projectId: 'contract-tests' }, stop: server.stop };
}

/** An Azure Blob server in memory: Azurite from the development dependencies. */
export async function startAzurite(): Promise<RunningService<ServiceEndpoints['azure']>> {
  const port = await freePort();
  const main = fileURLToPath(new URL('../../node_modules/azurite/dist/src/blob/main.js', import.meta.url));
  const options = ['--inMemoryPersistence', '--skipApiVersionCheck', '--silent', '--disableTelemetry'];
  const server = await startServer(
    process.execPath,
    [main, ...options, '--blobHost', '127.0.0.1', '--blobPort', String(port)],
    port,
  );
  if (server === undefined) throw new Error('Azurite is not installed: run npm ci');
  const endpoint = `${server.url}/${azureAccount}`;
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=${azureAccount};AccountKey=${azureAccountKey};BlobEndpoint=${endpoint};`;
  return { endpoint: { connectionString, endpoint, accountKey: azureAccountKey }, stop: server.stop };
}

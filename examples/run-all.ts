/**
 * Runs every example against a real PostgreSQL and a storage server of its own, as CI does (`npm run examples`). The scripts
 * themselves know nothing of this: they are what a person would run.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobServiceClient } from '@azure/storage-blob';
import { startCluster } from '../test/support/postgres.ts';
import { postgresBinaries } from '../test/support/postgres-binaries.ts';
import type { Server } from '../test/support/postgres-server.ts';
import { startCommand } from '../test/support/run-command.ts';
import { seawallEnvironment, seawallPath } from '../test/support/seawall.ts';
import { startAzurite, startFakeGcs, startVersitygw } from '../test/support/start-services.ts';

type Environment = Record<string, string>;

/** Only what an example needs on top of the server; `stop` ends its storage server. */
interface Stage {
  readonly environment: Environment;
  stop(): Promise<void>;
}

const bucket = 'seawall-examples';

/** Far above what any of them takes: a script that hangs must not hang CI. */
const exampleTimeoutMs = 180_000;

const stages: Readonly<Record<string, () => Promise<Stage>>> = {
  directory: inDirectory,
  s3: onS3,
  gcs: onGcs,
  azure: onAzure,
  'restore-to-a-moment': inDirectory,
};

let failures = 0;
for (const [name, open] of Object.entries(stages)) {
  const stage = await open();
  try {
    console.log(`\n* examples/${name}`);
    if (!(await runExample(name, stage.environment))) failures++;
  } finally {
    await stage.stop();
  }
}
console.log(`\n${Object.keys(stages).length - failures} examples ran, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;

async function runExample(name: string, storeEnvironment: Environment): Promise<boolean> {
  const path = [dirname(seawallPath), dirname(postgresBinaries(18).postgres), seawallEnvironment['PATH']].join(':');
  const tools = { ...seawallEnvironment, PATH: path };
  await using server = await startCluster({
    major: 18,
    settings: { archive_mode: 'on' },
    environment: { ...tools, ...storeEnvironment },
  });
  const environment: Environment = {
    ...tools,
    ...server.clientEnvironment,
    HOME: server.directory,
    ...storeEnvironment,
  };
  const repository = environment['SEAWALL_REPOSITORY'] ?? `file://${server.makeDirectory('repository')}`;
  environment['SEAWALL_REPOSITORY'] = repository;
  if (name === 'restore-to-a-moment') await archive(server, repository);
  const script = fileURLToPath(new URL(`${name}/run.sh`, import.meta.url));
  const running = startCommand(script, [], { asServerUser: true, cwd: server.directory, env: environment });
  const limit = setTimeout(() => running.process.kill('SIGKILL'), exampleTimeoutMs);
  const result = await running.finished;
  clearTimeout(limit);
  process.stdout.write(result.stdout);
  process.stderr.write(result.stderr);
  return result.exitCode === 0;
}

/** This example begins where the others end. */
async function archive(server: Server, repository: string): Promise<void> {
  await server.query(`ALTER SYSTEM SET archive_command = 'seawall wal-push "%p" --repository ${repository}'`);
  await server.query('SELECT pg_reload_conf()');
}

function inDirectory(): Promise<Stage> {
  return Promise.resolve({ environment: {}, stop: () => Promise.resolve() });
}

async function onS3(): Promise<Stage> {
  const { endpoint, stop } = await startVersitygw();
  const credentials = { accessKeyId: endpoint.accessKeyId, secretAccessKey: endpoint.secretAccessKey };
  const client = new S3Client({
    endpoint: endpoint.endpoint,
    region: endpoint.region,
    forcePathStyle: true,
    credentials,
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  const environment = {
    SEAWALL_REPOSITORY: `s3://${bucket}/db1`,
    SEAWALL_S3_ENDPOINT: endpoint.endpoint,
    AWS_REGION: endpoint.region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  return { environment, stop };
}

async function onGcs(): Promise<Stage> {
  const { endpoint, stop } = await startFakeGcs();
  const created = await fetch(`${endpoint.apiEndpoint}/storage/v1/b?project=${endpoint.projectId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: bucket }),
  });
  if (!created.ok) throw new Error(`cannot create the bucket: ${await created.text()}`);
  return {
    environment: { SEAWALL_REPOSITORY: `gs://${bucket}/db1`, SEAWALL_GCS_ENDPOINT: endpoint.apiEndpoint },
    stop,
  };
}

async function onAzure(): Promise<Stage> {
  const { endpoint, stop } = await startAzurite();
  await BlobServiceClient.fromConnectionString(endpoint.connectionString).createContainer(bucket);
  return {
    environment: {
      SEAWALL_REPOSITORY: `azure://${bucket}/db1`,
      AZURE_STORAGE_CONNECTION_STRING: endpoint.connectionString,
    },
    stop,
  };
}

import { Client } from 'pg';
import type { Server } from './postgres-server.ts';

/**
 * The manifest of a base backup over the replication protocol, as the server (PostgreSQL 15 or later) writes it; the files
 * themselves are dropped.
 *
 * @param checksums - `CRC32C`, `SHA256`, `NONE` …
 */
export async function takeServerManifest(server: Server, checksums = 'CRC32C'): Promise<Buffer> {
  const { PGHOST: host = '', PGPORT: port, PGUSER: user = '' } = server.clientEnvironment;
  const options = { host, port: Number(port), user, replication: 'true' };
  const client = new Client(options);
  await client.connect();
  const pieces: Buffer[] = [];
  let isManifest = false;
  // The first byte says what a message holds: `m` announces the manifest, `d` is data of what was announced last.
  client.connection.on('copyData', ({ chunk }: { chunk: Buffer }) => {
    if (isManifest && chunk[0] === 0x64) pieces.push(Buffer.from(chunk.subarray(1)));
    isManifest ||= chunk[0] === 0x6d;
  });
  await client.query(
    `BASE_BACKUP (CHECKPOINT 'fast', WAIT false, TABLESPACE_MAP, MANIFEST 'yes', MANIFEST_CHECKSUMS '${checksums}')`,
  );
  await client.end();
  return Buffer.concat(pieces);
}

import { createReadStream, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ManifestFile } from '../../src/postgres/backup-manifest.ts';
import { createFileChecksum } from '../../src/postgres/file-checksum.ts';
import { type ManifestSummary, readManifest } from '../../src/postgres/read-manifest.ts';
import { createManifestWriter } from '../../src/postgres/write-manifest.ts';
import { toByteString } from '../../src/util/byte-string.ts';
import { inChunks } from '../support/byte-streams.ts';
import { startCluster } from '../support/postgres.ts';
import { describeWithTools } from '../support/postgres-tools.ts';
import { runCommand } from '../support/run-command.ts';
import { takeServerManifest } from '../support/server-manifest.ts';

describe.for([15, 18] as const)('the manifest that PostgreSQL %i writes', (major) => {
  it('comes back byte for byte', async () => {
    await using server = await startCluster({ major });
    writeFileSync(join(server.dataDirectory, 'quoted "name" ü\\\t\u0007'), 'text');
    writeFileSync(Buffer.concat([Buffer.from(`${server.dataDirectory}/not utf-8 `), Buffer.of(0xff)]), 'text');

    for (const checksums of ['CRC32C', 'SHA256', 'NONE']) {
      const bytes = await takeServerManifest(server, checksums);
      const { files, summary } = await read(bytes);
      expect(files.length).toBeGreaterThan(900);
      expect(files.map((file) => file.path)).toContain('not utf-8 \xff');
      expect(format(summary, files), checksums).toEqual(bytes.toString());
    }
  });
});

describeWithTools('a backup taken by pg_basebackup', (tools) => {
  it('has the checksums that we compute, and is verified by the manifest that we write', async () => {
    await using server = await startCluster({ major: tools.major });
    const backup = server.makeDirectory('backup');
    const tool = async (name: string, ...args: string[]): Promise<void> => {
      const options = {
        env: { ...server.clientEnvironment, PATH: process.env['PATH'] ?? '' },
        asServerUser: true,
        cwd: '/',
      };
      const result = await runCommand(tools.path(name), args, options);
      expect(result.stderr).toBe('');
      expect(result.exitCode).toBe(0);
    };
    await tool('pg_basebackup', '--pgdata', backup, '--checkpoint=fast', '--no-sync');

    const manifestPath = join(backup, 'backup_manifest');
    const { files, summary } = await read(readFileSync(manifestPath));
    for (const file of files) {
      expect(await checksumOf(join(backup, file.path), 'CRC32C'), file.path).toBe(file.checksum?.hex);
    }

    for (const algorithm of ['SHA256', 'CRC32C', undefined] as const) {
      const own = await describeDirectory(backup, algorithm);
      expect(own.map((file) => file.path).toSorted()).toEqual(files.map((file) => file.path).toSorted());
      writeFileSync(manifestPath, format(summary, own));
      await tool('pg_verifybackup', backup);
    }
  });
});

async function read(bytes: Uint8Array): Promise<{ files: ManifestFile[]; summary: ManifestSummary }> {
  const files: ManifestFile[] = [];
  const summary = await readManifest(inChunks(bytes, 65_536), (file) => files.push(file));
  return { files, summary };
}

function format(summary: ManifestSummary, files: readonly ManifestFile[]): string {
  const pieces: string[] = [];
  const writer = createManifestWriter(summary, (text) => pieces.push(text));
  for (const file of files) writer.addFile(file);
  writer.end(summary.walRanges);
  return pieces.join('');
}

async function describeDirectory(
  directory: string,
  algorithm: 'CRC32C' | 'SHA256' | undefined,
): Promise<ManifestFile[]> {
  const paths = globSync(join(directory, '**'), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'backup_manifest' && !entry.parentPath.includes('pg_wal'))
    .map((entry) => join(entry.parentPath, entry.name));
  const described = paths.map(async (path) => {
    const { size, mtime } = statSync(path);
    const checksum = algorithm && { algorithm, hex: await checksumOf(path, algorithm) };
    return { path: toByteString(relative(directory, path)), sizeBytes: size, modifiedAt: mtime, checksum };
  });
  return await Promise.all(described);
}

async function checksumOf(path: string, algorithm: 'CRC32C' | 'SHA256'): Promise<string> {
  const checksum = createFileChecksum(algorithm);
  for await (const chunk of createReadStream(path)) checksum.update(chunk);
  return checksum.digest();
}

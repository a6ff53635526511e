import { open } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';
import { manifestHeader } from '../postgres/backup-manifest.ts';
import { readManifest } from '../postgres/read-manifest.ts';
import { createManifestWriter } from '../postgres/write-manifest.ts';
import { backupManifestKey } from '../repository/layout.ts';
import { decodeObject } from '../repository/object-coding.ts';
import type { Repository } from '../repository/repository.ts';
import { nameOfObject } from '../repository/wal-archive.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { fileError } from '../util/file-error.ts';
import type { ManifestFiles } from './expected-files.ts';
import { ofObject } from './of-object.ts';
import type { RestorePlan } from './plan.ts';

/**
 * Reads the backup's manifest, notes the files, and writes it anew to a path. It lists all files but tablespace_map, which a
 * restored cluster does not have: its links are there already.
 *
 * @throws {@link IntegrityError} when the manifest is damaged, or of another cluster
 * @throws {@link LocalFileError} or {@link PermissionError} when it cannot be written
 */
export async function writeManifest(
  repository: Repository,
  { backup, contents, majorVersion }: RestorePlan,
  path: string,
  files: ManifestFiles,
  options: CallOptions,
): Promise<void> {
  const key = backupManifestKey(backup.name);
  const name = nameOfObject(repository.store, key);
  const header = manifestHeader(majorVersion, contents.control.systemIdentifier);
  let text = '';
  const writer = createManifestWriter(header, (piece) => {
    text += piece;
  });
  const stored = await repository.store.get(key, options);
  const body = decodeObject(repository, { name, suffix: '' }, stored.body);
  const handle = await onDisk(path, open(path, 'wx', 0o600));
  const flush = async () => {
    const piece = text;
    text = '';
    await onDisk(path, handle.writeFile(piece));
  };
  // What has been read of one chunk is written before the next is read, so memory does not grow with the manifest.
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      yield chunk;
      await flush();
    }
  }
  try {
    const summary = await readManifest(chunks(), (file) => {
      files.add(file);
      if (file.path !== 'tablespace_map') writer.addFile(file);
    });
    const isOfCluster =
      summary.version === header.version &&
      (summary.version === 1 || summary.systemIdentifier === contents.control.systemIdentifier);
    if (!isOfCluster) throw new IntegrityError('it is the manifest of another cluster');
    writer.end(summary.walRanges);
    await flush();
    await onDisk(path, handle.sync());
  } catch (error) {
    throw ofObject(name, error);
  } finally {
    await handle.close();
  }
}

async function onDisk<T>(path: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw fileError(`cannot write ${path}`, path, error);
  }
}

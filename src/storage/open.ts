import { readFile } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { LocalFileError } from '../errors.ts';
import type { RetryPolicy } from '../util/back-off.ts';
import type { AzureSettings } from './drivers/azure-client.ts';
import type { GcsSettings } from './drivers/gcs-bucket.ts';
import type { UploadLimits } from './drivers/limits.ts';
import type { S3Settings } from './drivers/s3-client.ts';
import type { Environment } from './environment.ts';
import { parseLocation, type StoreLocation } from './location.ts';
import type { ObjectStore } from './object-store.ts';
import { withPrefix } from './with-prefix.ts';
import { withRetries } from './with-retries.ts';

/** What is needed to open a store, however it came about. What an URL says itself is stronger than the settings of its cloud. */
export interface StoreSettings extends UploadLimits {
  /** Where the repository is, see {@link parseLocation}. */
  readonly url: string;
  /** Variables that the clouds' users expect to be heard, see {@link Environment}; none unless given. */
  readonly environment?: Environment | undefined;
  /** How long one request is tried again after failures that may pass. */
  readonly retryDeadlineMs?: number | undefined;
  readonly s3?: S3OpenSettings | undefined;
  readonly gcs?: GcsSettings | undefined;
  readonly azure?: AzureSettings | undefined;
}

export interface S3OpenSettings extends S3Settings {
  /** A file of PEM certificates of authorities that are trusted besides the usual ones. */
  readonly caCertFile?: string | undefined;
}

/**
 * The first wait is short, since most failures are single ones; ten seconds at the end keep within what throttling services ask
 * for without losing much of the deadline.
 */
const defaultRetry: RetryPolicy = { initialDelayMs: 200, maximumDelayMs: 10_000, deadlineMs: 60_000 };

/**
 * Opens the store behind a URL: its driver, seen below the prefix, with retries. The driver, and with it the SDK of its cloud, is
 * loaded only now, so a repository in a directory loads none.
 *
 * Whether the place exists and lets us in shows at the first call.
 *
 * @throws {@link ConfigError} when the URL or a setting is malformed, {@link LocalFileError} when the certificates cannot be read
 */
export async function openStore(settings: StoreSettings, context: Context): Promise<ObjectStore> {
  const location = parseLocation(settings.url);
  const retry = {
    ...defaultRetry,
    ...(settings.retryDeadlineMs === undefined ? {} : { deadlineMs: settings.retryDeadlineMs }),
  };
  const store = await openDriver(location, settings, retry, context);
  return withRetries(location.kind === 'file' ? store : withPrefix(store, location.prefix), retry, context);
}

async function openDriver(
  location: StoreLocation,
  settings: StoreSettings,
  retry: RetryPolicy,
  context: Context,
): Promise<ObjectStore> {
  const { environment = {}, partSizeBytes, uploadConcurrency } = settings;
  const common = { environment, retry, partSizeBytes, uploadConcurrency };
  switch (location.kind) {
    case 'file': {
      const { createFilesystemStore } = await import('./drivers/filesystem.ts');
      return createFilesystemStore(location.path);
    }
    case 's3': {
      const { createS3Store } = await import('./drivers/s3.ts');
      const { pathStyle, ...fromUrl } = location.options;
      const forcePathStyle = pathStyle ?? settings.s3?.forcePathStyle;
      const caCertificates = await readCertificates(settings.s3?.caCertFile);
      const options = { ...settings.s3, ...fromUrl, forcePathStyle, caCertificates, bucket: location.bucket };
      return createS3Store({ ...options, ...common }, context);
    }
    case 'gs': {
      const { createGcsStore } = await import('./drivers/gcs.ts');
      return createGcsStore({ ...settings.gcs, bucket: location.bucket, ...common }, context);
    }
    case 'azure': {
      const { createAzureBlobStore } = await import('./drivers/azure-blob.ts');
      const account = location.account ?? settings.azure?.account;
      return createAzureBlobStore({ ...settings.azure, account, container: location.container, ...common }, context);
    }
  }
}

async function readCertificates(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LocalFileError(`cannot read the certificates in ${path}`, {
      cause: error,
      hint: 'Correct the path of the file, or let this user read it.',
    });
  }
}

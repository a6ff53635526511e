import { createCodec } from '../codec/codecs.ts';
import type { Settings } from '../config/settings.ts';
import type { Context } from '../context.ts';
import { ConfigError } from '../errors.ts';
import { createRepository, type Repository } from '../repository/repository.ts';
import type { Environment } from '../storage/environment.ts';
import { openStore } from '../storage/open.ts';
import { openCipher } from './open-cipher.ts';

/**
 * Opens the repository that the settings name; the driver of its store is loaded only now.
 *
 * @throws {@link ConfigError} when none is named, or the encryption is not clear
 */
export async function openRepository(
  settings: Settings,
  environment: Environment,
  context: Context,
): Promise<Repository> {
  if (settings.repository === undefined) {
    throw new ConfigError('no repository is set', {
      hint: 'Set SEAWALL_REPOSITORY to file:///srv/wal, s3://bucket/prefix, gs://bucket/prefix or azure://container/prefix, or use a setting of WAL-G such as WALG_FILE_PREFIX.',
    });
  }
  const codec = createCodec(settings.compression, {
    level: settings.compressionLevel,
    engine: settings.compressionEngine,
  });
  const cipher = await openCipher(settings, environment);
  const store = await openStore(
    {
      url: settings.repository,
      environment,
      retryDeadlineMs: settings.retryDeadline,
      s3: {
        endpoint: settings.s3Endpoint,
        region: settings.s3Region,
        forcePathStyle: settings.s3PathStyle,
        storageClass: settings.s3StorageClass,
        sse: settings.s3Sse,
        sseKmsKeyId: settings.s3SseKmsKeyId,
        caCertFile: settings.s3CaCertFile,
      },
      gcs: { apiEndpoint: settings.gcsEndpoint },
      azure: { endpointSuffix: settings.azureEndpointSuffix },
    },
    context,
  );
  return createRepository(store, codec, { cipher, allowPlain: settings.allowUnencrypted });
}

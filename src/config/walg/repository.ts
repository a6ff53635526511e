import { ConfigError } from '../../errors.ts';
import type { Environment } from '../../storage/environment.ts';

/** The backends, in the order in which WAL-G looks for them; the first one that is configured is the one. */
const backends = ['OSS', 'S3', 'FILE', 'GS', 'AZ', 'SWIFT', 'SSH'] as const;

/** Every variable that may name a repository in WAL-G's way, in the order in which it looks for them. */
export const prefixNames: readonly string[] = backends.flatMap((backend) => [
  `WALG_${backend}_PREFIX`,
  `WALE_${backend}_PREFIX`,
]);

/** A repository as WAL-G's settings name it. */
export interface WalgRepository {
  /** In our own spelling, see `parseLocation`. */
  readonly url: string;
  /** The variable that it came from. */
  readonly origin: string;
}

/**
 * The repository that WAL-G would use: that of its first backend which is configured, `WALG_` before `WALE_`, with the folder of
 * WALG_STORAGE_PREFIX. Undefined when none is configured.
 *
 * @throws {@link ConfigError} for a backend that we do not have, and for prefixes under which WAL-G has other keys than we
 */
export function walgRepository(environment: Environment): WalgRepository | undefined {
  const origin = prefixNames.find((name) => environment[name]);
  if (origin === undefined) return undefined;
  const url = urlOf(origin, environment);
  const folder = environment['WALG_STORAGE_PREFIX']?.replace(/^\/+|\/+$/g, '') ?? '';
  return {
    url: folder === '' ? url : `${url.replace(/\/+$/, '')}/${url.startsWith('/') ? folder : encodeURI(folder)}`,
    origin,
  };
}

function urlOf(origin: string, environment: Environment): string {
  const prefix = (environment[origin] ?? '').trim();
  const backend = origin.split('_')[1] as (typeof backends)[number];
  switch (backend) {
    case 'FILE':
      return prefix.replace(/^file:\/\/(localhost)?(?=\/)/, '');
    case 'S3':
      return withScheme('s3', prefix, origin);
    case 'AZ':
      return withScheme('azure', prefix, origin);
    case 'GS':
      checkExactPrefix(prefix, origin, environment);
      return withScheme('gs', prefix, origin);
    default:
      throw new ConfigError(`cannot use the repository that ${origin} names: there is no store for ${backend}`, {
        hint: instead[backend],
      });
  }
}

const instead: Readonly<Record<'OSS' | 'SWIFT' | 'SSH', string>> = {
  OSS: 'Alibaba Cloud OSS speaks S3: set WALG_S3_PREFIX to s3://bucket/path, AWS_ENDPOINT to the endpoint of its region, and AWS_S3_FORCE_PATH_STYLE to false.',
  SWIFT: 'Where Swift speaks S3 (its s3api middleware), set WALG_S3_PREFIX and AWS_ENDPOINT.',
  SSH: 'Mount the directory, for example by sshfs or NFS, and set WALG_FILE_PREFIX to where it is mounted.',
};

function withScheme(scheme: string, prefix: string, origin: string): string {
  const rest = new RegExp(`^${scheme}://(?=[^/])`, 'i');
  if (rest.test(prefix)) return prefix.replace(/[?#].*$/s, '');
  throw new ConfigError(`bad value ${JSON.stringify(prefix)} for ${origin}: must be like ${scheme}://bucket/path`);
}

/** With GCS_NORMALIZE_PREFIX=false WAL-G keeps outer slashes in its keys, which here are always single ones between names. */
function checkExactPrefix(prefix: string, origin: string, environment: Environment): void {
  if (!/^(false|f|0)$/i.test(environment['GCS_NORMALIZE_PREFIX'] ?? '')) return;
  const path = prefix.replace(/^gs:\/\/[^/]*\/?/i, '');
  if (!/^\/|\/$|\/\//.test(path)) return;
  throw new ConfigError(`bad value ${JSON.stringify(prefix)} for ${origin} with GCS_NORMALIZE_PREFIX=false`, {
    hint: 'WAL-G stores under keys with doubled slashes there, which Seawall does not write; copy the objects to a prefix with single slashes.',
  });
}

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.ts';
import { closest } from '../util/closest.ts';
import { checkKey } from './key.ts';

/** Where a repository is, as its URL says it. `prefix` is a run of key parts without outer slashes, possibly empty. */
export type StoreLocation =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string; readonly options: S3UrlOptions }
  | { readonly kind: 'gs'; readonly bucket: string; readonly prefix: string }
  | {
      readonly kind: 'azure';
      readonly container: string;
      readonly prefix: string;
      readonly account: string | undefined;
    };

/** What the query of an `s3:` URL may set; it is stronger than the settings of the same names. */
export interface S3UrlOptions {
  readonly endpoint?: string;
  readonly region?: string;
  readonly pathStyle?: boolean;
  readonly storageClass?: string;
  readonly sse?: string;
  readonly sseKmsKeyId?: string;
}

const knownForms =
  'Write file:///srv/wal (or an absolute path), s3://bucket/prefix, gs://bucket/prefix or azure://container/prefix.';

/**
 * Reads the URL of a repository. Paths are percent-decoded; `az:` is short for `azure:`.
 *
 * - `/srv/wal`, `file:///srv/wal`
 * - `s3://bucket/prefix?region=eu-west-1&endpoint=https://minio:9000&pathStyle=true&storageClass=STANDARD_IA&sse=aws:kms&sseKmsKeyId=…`
 * - `gs://bucket/prefix`
 * - `azure://container/prefix?account=name`
 *
 * @throws {@link ConfigError} when it is none of these. The message shows neither user names nor passwords.
 */
export function parseLocation(text: string): StoreLocation {
  if (text.trim() === '') throw new ConfigError('the URL of the repository is empty', { hint: knownForms });
  if (text.startsWith('/')) return { kind: 'file', path: directoryPath(text) };

  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    throw new ConfigError(`not the URL of a repository: ${hideCredentials(text)}`, { hint: knownForms });
  }
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError('the URL of the repository holds a user name or a password', {
      hint: 'Give credentials through the environment or the files that the cloud prescribes, never in the URL.',
    });
  }
  if (url.hash !== '' || url.port !== '') {
    throw new ConfigError(`the URL of the repository has a part that has no meaning: ${url.hash || `:${url.port}`}`, {
      hint: knownForms,
    });
  }

  switch (url.protocol) {
    case 'file:':
      return fileLocation(text, url);
    case 's3:':
      return { kind: 's3', bucket: hostOf(url, 'bucket'), prefix: prefixOf(url), options: s3Options(url) };
    case 'gs:':
      checkQuery(url, []);
      return { kind: 'gs', bucket: hostOf(url, 'bucket'), prefix: prefixOf(url) };
    case 'azure:':
    case 'az:':
      checkQuery(url, ['account']);
      return {
        kind: 'azure',
        container: hostOf(url, 'container'),
        prefix: prefixOf(url),
        account: url.searchParams.get('account') ?? undefined,
      };
    default:
      throw new ConfigError(`no store is called ${JSON.stringify(url.protocol)}`, { hint: knownForms });
  }
}

function fileLocation(text: string, url: URL): StoreLocation {
  checkQuery(url, []);
  if (!/^file:\/\/(localhost)?\//i.test(text)) {
    throw new ConfigError(`not the URL of a directory on this host: ${text}`, {
      hint: 'Write the absolute path behind three slashes, for example file:///srv/wal.',
    });
  }
  try {
    return { kind: 'file', path: directoryPath(fileURLToPath(url)) };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`not the URL of a directory: ${text}`, { cause: error, hint: knownForms });
  }
}

function directoryPath(path: string): string {
  const absolute = resolve(path);
  if (absolute === '/') {
    throw new ConfigError('the repository may not be the root directory', {
      hint: 'Name a directory, for example /srv/wal.',
    });
  }
  return absolute;
}

function hostOf(url: URL, what: 'bucket' | 'container'): string {
  if (url.hostname !== '') return decode(url.hostname);
  throw new ConfigError(`the URL of the repository names no ${what}: ${url.href}`, { hint: knownForms });
}

/** WAL-G trims the outer slashes too; a doubled slash inside would name other keys there than here, so it is refused. */
function prefixOf(url: URL): string {
  const prefix = decode(url.pathname).replace(/^\/+|\/+$/g, '');
  if (prefix === '') return prefix;
  try {
    checkKey(prefix);
  } catch (error) {
    throw new ConfigError(`the prefix of the repository cannot be used: ${url.href}`, {
      cause: error,
      hint: 'Write the prefix as names with single slashes between them, for example s3://bucket/wal/main.',
    });
  }
  return prefix;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new ConfigError(`the URL of the repository is not properly percent-encoded: ${text}`, {
      cause: error,
      hint: 'Write a literal % as %25.',
    });
  }
}

const s3OptionNames = ['endpoint', 'region', 'pathStyle', 'storageClass', 'sse', 'sseKmsKeyId'] as const;

function s3Options(url: URL): S3UrlOptions {
  checkQuery(url, s3OptionNames);
  const { pathStyle, ...texts } = Object.fromEntries(url.searchParams) as Record<
    (typeof s3OptionNames)[number],
    string
  >;
  if (pathStyle === undefined) return texts;
  if (pathStyle !== 'true' && pathStyle !== 'false') {
    throw new ConfigError(`pathStyle of the repository is ${JSON.stringify(pathStyle)}`, {
      hint: 'Write true or false.',
    });
  }
  return { ...texts, pathStyle: pathStyle === 'true' };
}

function checkQuery(url: URL, known: readonly string[]): void {
  for (const name of url.searchParams.keys()) {
    if (known.includes(name)) continue;
    const suggestion = closest(name, known);
    const meant = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
    const hint = known.length === 0 ? 'Leave the query out.' : `Known parameters: ${known.join(', ')}.${meant}`;
    throw new ConfigError(`the URL of the repository has an unknown parameter: ${name}`, { hint });
  }
}

function hideCredentials(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@');
}

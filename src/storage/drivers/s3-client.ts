import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { getCACertificates } from 'node:tls';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Logger } from '../../context.ts';
import { ConfigError } from '../../errors.ts';
import { awsCredentials } from '../../util/aws-credentials.ts';
import type { Environment } from '../environment.ts';
import { connectTimeoutMs } from './limits.ts';
import { findRegion } from './s3-region.ts';

/** How an S3 service is reached, and how objects are kept there. */
export interface S3Settings {
  /** URL of an S3-compatible service; without it, Amazon's (or what `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or `AWS_ENDPOINT` say). */
  readonly endpoint?: string | undefined;
  /** Otherwise `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's or the bucket's own; behind an endpoint of one's own, `us-east-1`. */
  readonly region?: string | undefined;
  /** Bucket in the path instead of the host name; on by default behind an endpoint of one's own. */
  readonly forcePathStyle?: boolean | undefined;
  /** Storage class of new objects, `STANDARD_IA`. */
  readonly storageClass?: string | undefined;
  /** Server-side encryption of new objects: `AES256` or `aws:kms`. */
  readonly sse?: string | undefined;
  readonly sseKmsKeyId?: string | undefined;
  /** PEM text of authorities that are trusted besides the usual ones. */
  readonly caCertificates?: string | undefined;
}

/**
 * The SDK's client with our limits: one attempt per call (`with-retries.ts` repeats), time-outs for connections that hang, and
 * the proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`).
 *
 * Credentials come from the environment given here, in Amazon's or WAL-G's spelling, unless `AWS_PROFILE` is set; otherwise from the
 * SDK's own chain: profile and SSO, web identity, container, instance metadata.
 *
 * Amazon is asked to check a CRC32 of all we send and receive. Other services often do not know those headers, so they get a
 * Content-MD5, which is older than all of them; `AWS_REQUEST_CHECKSUM_CALCULATION` and `AWS_RESPONSE_CHECKSUM_VALIDATION` override it.
 */
export function createS3Client(
  settings: S3Settings & { readonly bucket: string },
  environment: Environment,
  idleTimeoutMs: number,
  log: Logger,
): S3Client {
  const endpoint = endpointOf(settings, environment);
  const isAmazon = endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(endpoint.hostname);
  const region =
    settings.region ||
    environment['AWS_REGION'] ||
    environment['AWS_DEFAULT_REGION'] ||
    (isAmazon ? findRegion(settings.bucket, environment) : 'us-east-1');
  const credentials = awsCredentials(environment);
  const checksums = isAmazon ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const { AWS_REQUEST_CHECKSUM_CALCULATION: sent, AWS_RESPONSE_CHECKSUM_VALIDATION: received } = environment;
  const config: S3ClientConfig = {
    forcePathStyle: settings.forcePathStyle ?? !isAmazon,
    ...freshFiles,
    maxAttempts: 1,
    followRegionRedirects: true,
    // The SDK's wait for "100 Continue" would leave our agents, and with them the certificates, the proxy and the pool.
    expectContinueHeader: false,
    customUserAgent: 'seawall',
    logger: warningsOnly(log),
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: idleTimeoutMs,
      httpAgent: new HttpAgent({ keepAlive: true, proxyEnv: environment }),
      httpsAgent: new HttpsAgent({ keepAlive: true, proxyEnv: environment, ...trustIn(settings.caCertificates) }),
    },
    requestChecksumCalculation: isChecksumUse(sent) ? sent : checksums,
    responseChecksumValidation: isChecksumUse(received) ? received : checksums,
    ...(endpoint === undefined ? {} : { endpoint: endpoint.href }),
    region,
    ...(credentials === undefined ? {} : { credentials }),
  };
  const client = new S3Client(config);
  if (!isAmazon) sendContentMd5(client);
  return client;
}

/**
 * Reaches the SDK's chain of credentials: its files are read again when it is asked for new credentials. Otherwise a process would
 * keep for ever what a rotated file said at its start.
 */
const freshFiles: object = { ignoreCache: true };

function endpointOf(settings: S3Settings, environment: Environment): URL | undefined {
  const text =
    settings.endpoint ||
    environment['AWS_ENDPOINT_URL_S3'] ||
    environment['AWS_ENDPOINT_URL'] ||
    environment['AWS_ENDPOINT'];
  if (!text) return undefined;
  const url = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  if (URL.canParse(url)) return new URL(url);
  throw new ConfigError(`not the URL of an S3 endpoint: ${text}`, {
    hint: 'Write it like https://minio.example.org:9000.',
  });
}

function isChecksumUse(text: string | undefined): text is 'WHEN_SUPPORTED' | 'WHEN_REQUIRED' {
  return text === 'WHEN_SUPPORTED' || text === 'WHEN_REQUIRED';
}

function trustIn(certificates: string | undefined): { ca?: string[] } {
  return certificates === undefined ? {} : { ca: [...getCACertificates('default'), certificates] };
}

/** The SDK tells every request at `info`; only its warnings say something new. */
function warningsOnly(log: Logger): NonNullable<S3ClientConfig['logger']> {
  const silent = () => undefined;
  return {
    debug: silent,
    info: silent,
    error: silent,
    warn: (text) => log.warn({ warning: String(text) }, 'the AWS SDK warns'),
  };
}

function sendContentMd5(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { body?: unknown; headers: Record<string, string> };
      const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body;
      if (body instanceof Uint8Array) {
        request.headers['content-md5'] = createHash('md5').update(body).digest('base64');
      }
      return await next(args);
    },
    { step: 'build', name: 'contentMd5', priority: 'low' },
  );
}

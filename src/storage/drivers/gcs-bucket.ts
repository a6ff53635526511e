import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { GoogleAuth, type gaxios, PassThroughClient } from 'google-auth-library';
import { ConfigError } from '../../errors.ts';
import type { Environment } from '../environment.ts';
import { gcsFailure } from './gcs-failure.ts';
import { requestTimeoutMs } from './limits.ts';
import { withTimeout } from './with-timeout.ts';

/** How Google Cloud Storage is reached. */
export interface GcsSettings {
  /** URL of an emulator, to which no credentials are sent, or of a private endpoint below googleapis.com; otherwise `STORAGE_EMULATOR_HOST`, or Google's own. */
  readonly apiEndpoint?: string | undefined;
}

/** One bucket as the requests of the driver see it. */
export interface GcsBucket {
  readonly name: string;
  /** `gs://bucket`, for messages. */
  readonly location: string;
  /** How long a silent service is waited for. */
  readonly idleTimeoutMs: number;
  /** `…/storage/v1/b/bucket/o` */
  readonly objectsUrl: string;
  /** `…/upload/storage/v1/b/bucket/o` */
  readonly uploadUrl: string;
  /**
   * Sends one request, with a token where the endpoint is Google's. Failures come out as errors of ours; an abort as the
   * signal's reason.
   *
   * @param action - for messages: `store wal_005/… in gs://bucket`
   */
  call<T>(action: string, request: GcsRequest): Promise<gaxios.GaxiosResponse<T>>;
  /** Closes all connections. */
  close(): void;
}

export interface GcsRequest extends Omit<gaxios.GaxiosOptions, 'signal'> {
  readonly signal?: AbortSignal | undefined;
  /** How much is sent, which decides how long it may take. */
  readonly bodyBytes?: number;
}

/**
 * A bucket by Google's JSON API and Google's library for credentials (`GOOGLE_APPLICATION_CREDENTIALS`, gcloud, workload
 * identity, metadata server). We speak the API ourselves because the streams of @google-cloud/storage take no AbortSignal and no
 * time-out, hide the status behind their own retries, and do not cancel what they leave.
 *
 * @see Google Cloud Storage JSON API v1
 */
export function openGcsBucket(
  name: string,
  settings: GcsSettings,
  environment: Environment,
  idleTimeoutMs: number,
): GcsBucket {
  const endpoint = endpointOf(settings, environment);
  const isGoogle = /(^|\.)googleapis\.com$/.test(endpoint.hostname);
  const auth = isGoogle
    ? new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/devstorage.read_write' })
    : new GoogleAuth({ authClient: new PassThroughClient() });
  const Agent = endpoint.protocol === 'https:' ? HttpsAgent : HttpAgent;
  const agent = new Agent({ keepAlive: true, proxyEnv: environment });
  const objects = `storage/v1/b/${encodeURIComponent(name)}/o`;

  return {
    name,
    location: `gs://${name}`,
    idleTimeoutMs,
    objectsUrl: new URL(objects, endpoint).href,
    uploadUrl: new URL(`upload/${objects}`, endpoint).href,
    async call<T>(action: string, { bodyBytes = 0, signal, ...request }: GcsRequest) {
      try {
        return await withTimeout(requestTimeoutMs(bodyBytes, idleTimeoutMs), signal, (either) =>
          auth.request<T>({ retry: false, agent, errorRedactor: forgetRequest, ...request, signal: either }),
        );
      } catch (error) {
        signal?.throwIfAborted();
        throw gcsFailure(error, action);
      }
    },
    close: () => agent.destroy(),
  };
}

/**
 * Takes what was sent out of an error: the body, which it would keep in memory, and the headers, which hold the token. The redactor of
 * gaxios itself looks at a body byte by byte, which blocks for seconds.
 */
const forgetRequest: Exclude<gaxios.GaxiosOptions['errorRedactor'], false | undefined> = (failure) => {
  for (const config of [failure.config, failure.response?.config]) {
    if (config === undefined) continue;
    delete config.data;
    delete config.body;
    delete config.multipart;
    config.headers = new Headers();
  }
  return failure;
};

function endpointOf(settings: GcsSettings, environment: Environment): URL {
  const text = settings.apiEndpoint || environment['STORAGE_EMULATOR_HOST'] || 'https://storage.googleapis.com';
  const url = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  if (URL.canParse(url)) return new URL(url.endsWith('/') ? url : `${url}/`);
  throw new ConfigError(`not the URL of a Cloud Storage endpoint: ${text}`, {
    hint: 'Write it like http://127.0.0.1:4443.',
  });
}

import type { ContainerClient } from '@azure/storage-blob';
import { azureFailure } from './azure-failure.ts';
import { requestTimeoutMs } from './limits.ts';
import { withTimeout } from './with-timeout.ts';

/** One container as the requests of the driver see it. */
export interface AzureContainer {
  readonly client: ContainerClient;
  /** `azure://container`, for messages. */
  readonly location: string;
  /** How long a silent service is waited for. */
  readonly idleTimeoutMs: number;
}

/**
 * Sends one request. Failures come out as errors of ours; an abort as the signal's reason.
 *
 * @param action - for messages: `store wal_005/… in azure://container`
 * @param bodyBytes - how much is sent with it, which decides how long it may take
 */
export async function callAzure<T>(
  container: AzureContainer,
  action: string,
  { signal, bodyBytes = 0 }: { readonly signal: AbortSignal | undefined; readonly bodyBytes?: number },
  send: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withTimeout(requestTimeoutMs(bodyBytes, container.idleTimeoutMs), signal, send);
  } catch (error) {
    signal?.throwIfAborted();
    throw azureFailure(error, action);
  }
}

import {
  AnonymousCredential,
  ContainerClient,
  type StoragePipelineOptions,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { ConfigError } from '../../errors.ts';
import type { Environment } from '../environment.ts';

/** How a storage account of Azure is reached. */
export interface AzureSettings {
  /** Name of the storage account; otherwise `AZURE_STORAGE_ACCOUNT`, or what a connection string says. */
  readonly account?: string | undefined;
  /** DNS suffix of the cloud, `core.windows.net`; otherwise `AZURE_ENDPOINT_SUFFIX`, or by `AZURE_ENVIRONMENT_NAME`. */
  readonly endpointSuffix?: string | undefined;
}

/** DNS suffixes by the names that Azure's own tools use. */
const suffixes: Readonly<Record<string, string>> = {
  azurepubliccloud: 'core.windows.net',
  azurechinacloud: 'core.chinacloudapi.cn',
  azureusgovernmentcloud: 'core.usgovcloudapi.net',
  azuregermancloud: 'core.cloudapi.de',
};

/** One attempt per call: `with-retries.ts` and `repeat-part.ts` repeat. Proxies of the environment are honoured by the SDK itself. */
const pipelineOptions: StoragePipelineOptions = {
  retryOptions: { maxTries: 1 },
  userAgentOptions: { userAgentPrefix: 'seawall' },
};

/**
 * The SDK's client for one container. Credentials, first found: `AZURE_STORAGE_CONNECTION_STRING` (which also names account and
 * endpoint); `AZURE_STORAGE_KEY` or `AZURE_STORAGE_ACCESS_KEY`; `AZURE_STORAGE_SAS_TOKEN`; and then the chain of @azure/identity
 * (service principal, workload identity, managed identity, Azure CLI), which is loaded only when its turn comes.
 *
 * @throws {@link ConfigError} when no account is named, account and suffix make no host, or the connection string cannot be read
 */
export function createContainerClient(
  container: string,
  settings: AzureSettings,
  environment: Environment,
): ContainerClient {
  const connectionString = environment['AZURE_STORAGE_CONNECTION_STRING'];
  if (connectionString) return fromConnectionString(connectionString, container);
  const account = settings.account ?? environment['AZURE_STORAGE_ACCOUNT'];
  if (!account) {
    throw new ConfigError(`cannot open azure://${container}: no storage account is named`, {
      hint: 'Set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING, or write azure://container/prefix?account=name.',
    });
  }
  const host = `${account}.blob.${suffixOf(settings, environment)}`;
  const url = `https://${host}/${container}`;
  if (URL.parse(url)?.host !== host.toLowerCase()) {
    throw new ConfigError(`cannot open azure://${container}: ${JSON.stringify(host)} is not the name of a server`, {
      hint: 'Check AZURE_STORAGE_ACCOUNT and AZURE_ENDPOINT_SUFFIX; an endpoint of another form goes into AZURE_STORAGE_CONNECTION_STRING.',
    });
  }
  const key = environment['AZURE_STORAGE_KEY'] || environment['AZURE_STORAGE_ACCESS_KEY'];
  if (key) return new ContainerClient(url, new StorageSharedKeyCredential(account, key), pipelineOptions);
  const token = environment['AZURE_STORAGE_SAS_TOKEN']?.replace(/^\?/, '');
  if (token) return new ContainerClient(`${url}?${token}`, new AnonymousCredential(), pipelineOptions);
  return new ContainerClient(url, identityChain(), pipelineOptions);
}

/** @azure/identity is heavy, and needed only where there is neither a key nor a token. */
function identityChain(): { getToken: InstanceType<Identity['DefaultAzureCredential']>['getToken'] } {
  let chain: Promise<InstanceType<Identity['DefaultAzureCredential']>> | undefined;
  return {
    getToken: async (scopes, options) => {
      chain ??= import('@azure/identity').then(({ DefaultAzureCredential }) => new DefaultAzureCredential());
      return await (await chain).getToken(scopes, options);
    },
  };
}

type Identity = typeof import('@azure/identity');

function suffixOf(settings: AzureSettings, environment: Environment): string {
  const suffix = settings.endpointSuffix ?? environment['AZURE_ENDPOINT_SUFFIX'];
  if (suffix) return suffix;
  const cloud = environment['AZURE_ENVIRONMENT_NAME'] || 'AzurePublicCloud';
  const known = suffixes[cloud.toLowerCase()];
  if (known !== undefined) return known;
  throw new ConfigError(`no Azure cloud is called ${JSON.stringify(cloud)}`, {
    hint: 'Set AZURE_ENVIRONMENT_NAME to AzurePublicCloud, AzureChinaCloud or AzureUSGovernmentCloud, or set AZURE_ENDPOINT_SUFFIX.',
  });
}

function fromConnectionString(connectionString: string, container: string): ContainerClient {
  try {
    return new ContainerClient(connectionString, container, pipelineOptions);
  } catch {
    // biome-ignore lint/style/useErrorCause: the SDK's error may quote what it could not read, and with it a key or a token.
    throw new ConfigError('cannot read AZURE_STORAGE_CONNECTION_STRING', {
      hint: 'Copy AZURE_STORAGE_CONNECTION_STRING again from the access keys of the storage account.',
    });
  }
}

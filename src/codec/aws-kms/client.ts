import { awsCredentials } from '../../util/aws-credentials.ts';
import { loadLibrary } from '../../util/load-library.ts';
import { awsKmsFailure } from './failure.ts';

/** Which key of AWS KMS is used, and how the service is reached. */
export interface AwsKmsOptions {
  /** Id, ARN or `alias/…` of a symmetric key. Reading works with whatever key an object was written with. */
  readonly keyId: string;
  /** Otherwise that of the ARN, `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile. */
  readonly region?: string | undefined;
  /** URL of another service that speaks KMS's protocol. */
  readonly endpoint?: string | undefined;
  /** Variables by name: `AWS_ACCESS_KEY_ID` and the like. Without credentials there, the SDK's own chain finds them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What we ask of KMS. The caller needs the permissions `kms:Encrypt` and `kms:Decrypt`, as with WAL-G. */
export interface Kms {
  wrap(key: Uint8Array): Promise<Uint8Array>;
  /** @throws {@link IntegrityError} when these bytes are no key that KMS has wrapped */
  unwrap(wrapped: Uint8Array): Promise<Buffer>;
}

/** Limits of one request. The SDK tries three times, with pauses that grow. */
const connectionTimeoutMs = 5000;
const requestTimeoutMs = 15_000;

/** Loads the SDK; nothing is sent yet. */
export async function connectKms({ keyId, region, endpoint, environment }: AwsKmsOptions): Promise<Kms> {
  const { DecryptCommand, EncryptCommand, KMSClient } = await loadLibrary(
    '@aws-sdk/client-kms',
    () => import('@aws-sdk/client-kms'),
  );
  const usedRegion = region || regionOfArn(keyId) || environment['AWS_REGION'] || environment['AWS_DEFAULT_REGION'];
  const credentials = awsCredentials(environment);
  const client = new KMSClient({
    customUserAgent: 'seawall',
    requestHandler: { connectionTimeout: connectionTimeoutMs, requestTimeout: requestTimeoutMs },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(usedRegion === undefined ? {} : { region: usedRegion }),
    ...(credentials === undefined ? {} : { credentials }),
  });

  return {
    async wrap(key) {
      try {
        const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: keyId, Plaintext: key }));
        return CiphertextBlob ?? new Uint8Array();
      } catch (error) {
        throw awsKmsFailure(error, `wrap a data key with the AWS KMS key ${keyId}`);
      }
    },

    async unwrap(wrapped) {
      try {
        const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob: wrapped }));
        return Buffer.from(Plaintext ?? []);
      } catch (error) {
        throw awsKmsFailure(error, 'unwrap the data key of the object with AWS KMS');
      }
    },
  };
}

/** Shape: `arn:aws:kms:<region>:<account>:key/<id>`. */
function regionOfArn(keyId: string): string | undefined {
  return /^arn:[^:]*:kms:([^:]+):/.exec(keyId)?.[1];
}

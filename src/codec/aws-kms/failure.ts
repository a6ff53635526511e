import { ConfigError, describeError, IntegrityError, PermissionError, StoreError } from '../../errors.ts';

/**
 * The error of ours for what a call to KMS threw.
 *
 * @param action - what failed: `unwrap the data key …`
 * @see AWS KMS API Reference, "Common Errors", and those of Encrypt and Decrypt
 */
export function awsKmsFailure(error: unknown, action: string): Error {
  const name = error instanceof Error ? error.name : '';
  const message = `cannot ${action}: ${describeError(error)}`;
  if (wrongKeyNames.includes(name))
    return new IntegrityError('wrong AWS KMS key', { cause: error, hint: wrongKeyHint });
  const permissionHint = denied[name];
  if (permissionHint !== undefined) return new PermissionError(message, { cause: error, hint: permissionHint });
  const configHint = misconfigured[name] ?? (isWithoutRegion(error) ? regionHint : undefined);
  if (configHint !== undefined) return new ConfigError(message, { cause: error, hint: configHint });
  return new StoreError(message, { cause: error, retryable: true });
}

const wrongKeyNames: readonly string[] = ['InvalidCiphertextException', 'IncorrectKeyException'];
const wrongKeyHint =
  'The object was encrypted with a key of another account or region, or in another way, or it is damaged at its beginning.';

const grantHint = 'Allow kms:Encrypt and kms:Decrypt on the key for these credentials.';
const credentialsHint = 'Check the AWS credentials.';
const denied: Readonly<Record<string, string>> = {
  AccessDeniedException: grantHint,
  UnrecognizedClientException: credentialsHint,
  InvalidSignatureException: credentialsHint,
  IncompleteSignatureException: credentialsHint,
  MissingAuthenticationTokenException: credentialsHint,
  ExpiredTokenException: credentialsHint,
  CredentialsProviderError: credentialsHint,
};

const keyHint = 'Set the id of an enabled, symmetric key in the right region.';
const misconfigured: Readonly<Record<string, string>> = {
  NotFoundException: keyHint,
  DisabledException: keyHint,
  KMSInvalidStateException: keyHint,
  InvalidKeyUsageException: keyHint,
  ValidationException: keyHint,
};

const regionHint = 'Set the region of the key.';

function isWithoutRegion(error: unknown): boolean {
  return error instanceof Error && /region is missing/i.test(error.message);
}

/** Keys of an AWS account, as its SDK takes them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * The credentials in these variables, in Amazon's or WAL-G's spelling. Undefined when there are none, or `AWS_PROFILE` asks for others;
 * the SDK's own chain then finds some: profile, web identity, container, instance metadata.
 */
export function awsCredentials(environment: Readonly<Record<string, string | undefined>>): AwsCredentials | undefined {
  if (environment['AWS_PROFILE']) return undefined;
  const accessKeyId = environment['AWS_ACCESS_KEY_ID'] || environment['AWS_ACCESS_KEY'];
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY'] || environment['AWS_SECRET_KEY'];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = environment['AWS_SESSION_TOKEN'];
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

import { describe, expect, it } from 'vitest';
import { awsCredentials } from '../../src/util/aws-credentials.ts';

describe('awsCredentials', () => {
  it("takes them in Amazon's or WAL-G's spelling", () => {
    const keys = { accessKeyId: 'id', secretAccessKey: 'secret' };
    expect(awsCredentials({ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' })).toEqual(keys);
    expect(awsCredentials({ AWS_ACCESS_KEY: 'id', AWS_SECRET_KEY: 'secret', AWS_SESSION_TOKEN: 'token' })).toEqual({
      ...keys,
      sessionToken: 'token',
    });
  });

  it.for([
    [{}],
    [{ AWS_ACCESS_KEY_ID: 'id' }],
    [{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }],
    [{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_PROFILE: 'other' }],
  ])('leaves them to the chain of the SDK: %j', ([environment]) => {
    expect(awsCredentials(environment ?? {})).toBeUndefined();
  });
});

import { request as requestByHttp } from 'node:http';
import { Agent, request as requestByHttps } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { loadOnce } from '../../util/load-once.ts';
import type { Environment } from '../environment.ts';

/** An answer takes a fraction of a second; where Amazon's public endpoint cannot be reached, the region must be set. */
const timeoutMs = 5_000;

/**
 * The region of a bucket of Amazon's for which none is set: the profile's, otherwise what S3 says of the bucket.
 *
 * @returns a function that throws the SDK's own error, "Region is missing", when nobody knows
 */
export function findRegion(bucket: string, environment: Environment): () => Promise<string> {
  return loadOnce(async () => {
    const client = new S3Client({});
    const configured: () => Promise<string> = client.config.region;
    try {
      return await configured();
    } catch (error) {
      const region = await askForRegion(`https://s3.amazonaws.com/${encodeURIComponent(bucket)}`, environment);
      if (region !== undefined) return region;
      throw error;
    } finally {
      client.destroy();
    }
  });
}

/**
 * Asks without credentials: S3 names the region of a bucket in the header of every answer, refusals included. Undefined when no such
 * answer comes.
 *
 * @see Amazon S3 API Reference, HeadBucket
 */
export async function askForRegion(url: string, environment: Environment): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const isPlain = url.startsWith('http:');
    const options = { method: 'HEAD', timeout: timeoutMs };
    const request = isPlain
      ? requestByHttp(url, options)
      : requestByHttps(url, { ...options, agent: new Agent({ proxyEnv: environment }) });
    request.once('response', (response) => {
      response.resume();
      const region = response.headers['x-amz-bucket-region'];
      resolve(typeof region === 'string' && region !== '' ? region : undefined);
    });
    request.once('timeout', () => request.destroy());
    request.once('close', () => resolve(undefined));
    request.once('error', () => resolve(undefined));
    request.end();
  });
}

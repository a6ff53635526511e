import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A stand-in for AWS KMS on the loopback interface. */
export interface KmsServer extends AsyncDisposable {
  readonly url: string;
  /** The operations asked for, in order: `Encrypt`, `Decrypt`. */
  readonly calls: string[];
  /** Answers every request with this error until it is undefined again. */
  failure: { readonly status: number; readonly type: string } | undefined;
}

const wrappedSizeBytes = 184;

/** Speaks the JSON protocol of the operations Encrypt and Decrypt, with one key that lives as long as the server. */
export async function startKmsServer(): Promise<KmsServer> {
  const masterKey = randomBytes(32);
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
    calls.push(operation);
    const body = JSON.parse(await textOf(request)) as Record<string, string>;
    const failure = running.failure;
    const { status, fields } =
      failure === undefined ? perform(masterKey, operation, body) : refuse(failure.status, failure.type);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(fields));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const running: KmsServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    failure: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return running;
}

interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
}

function refuse(status: number, type: string): Answer {
  return { status, fields: { __type: type, message: 'no' } };
}

function perform(masterKey: Buffer, operation: string, body: Record<string, string>): Answer {
  const bytesOf = (field: string): Buffer => Buffer.from(body[field] ?? '', 'base64');
  if (operation === 'Encrypt') {
    if (body['KeyId'] !== 'alias/test') return refuse(400, 'NotFoundException');
    return { status: 200, fields: { CiphertextBlob: wrap(masterKey, bytesOf('Plaintext')).toString('base64') } };
  }
  try {
    return { status: 200, fields: { Plaintext: unwrap(masterKey, bytesOf('CiphertextBlob')).toString('base64') } };
  } catch {
    return refuse(400, 'InvalidCiphertextException');
  }
}

/** Nonce, encrypted key, tag, and noise up to the size that KMS gives. */
function wrap(masterKey: Buffer, key: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce);
  const noise = randomBytes(wrappedSizeBytes - 12 - key.length - 16);
  cipher.setAAD(noise);
  return Buffer.concat([noise, nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

function unwrap(masterKey: Buffer, wrapped: Buffer): Buffer {
  const [noise, nonce] = [wrapped.subarray(0, -60), wrapped.subarray(-60, -48)];
  const decipher = createDecipheriv('aes-256-gcm', masterKey, nonce);
  decipher.setAAD(noise);
  decipher.setAuthTag(wrapped.subarray(-16));
  return Buffer.concat([decipher.update(wrapped.subarray(-48, -16)), decipher.final()]);
}

async function textOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(request)).toString();
}

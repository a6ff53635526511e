import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

/** A frame of WAL-G's daemon protocol: type, length of all of it, body. */
export function frame(type: string, body: Uint8Array): Buffer {
  const header = Buffer.from([type.charCodeAt(0), 0, 0]);
  header.writeUInt16BE(header.length + body.length, 1);
  return Buffer.concat([header, body]);
}

/** As walg_archive sends it. */
export function checkFrame(): Buffer {
  return frame('C', Buffer.from('CHECK'));
}

export function pushFrame(path: string): Buffer {
  return frame('F', Buffer.from(path));
}

export function fetchFrame(fileName: string, destination: string): Buffer {
  const words = [fileName, destination].flatMap((word) => {
    const bytes = Buffer.from(word);
    return [Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes];
  });
  return frame('f', Buffer.concat([Buffer.from([2]), ...words]));
}

/** A client that says nothing by itself. */
export interface DaemonClient {
  readonly socket: Socket;
  /** What has come so far, as Latin-1. */
  received(): string;
  /** The first character that comes, as WAL-G's client takes it. */
  readonly answer: Promise<string>;
  /** Everything that has come when the daemon has closed the connection. */
  readonly all: Promise<string>;
}

export async function connectToDaemon(path: string): Promise<DaemonClient> {
  const socket = createConnection({ path });
  await once(socket, 'connect');
  let received = '';
  const { promise: answer, resolve } = Promise.withResolvers<string>();
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    resolve(received.slice(0, 1));
  });
  socket.on('error', () => undefined);
  const all = once(socket, 'close').then(() => {
    resolve('');
    return received;
  });
  return { socket, received: () => received, answer, all };
}

/** Asks one question as WAL-G's client does: it takes the first character, and goes. Empty when the daemon closes without a word. */
export async function askDaemon(path: string, request: Uint8Array): Promise<string> {
  const client = await connectToDaemon(path);
  client.socket.write(request);
  const answer = await client.answer;
  client.socket.destroy();
  return answer;
}

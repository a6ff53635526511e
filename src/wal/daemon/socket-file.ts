import { once } from 'node:events';
import { chmod, lstat, stat, unlink } from 'node:fs/promises';
import { createConnection, type Server } from 'node:net';
import { dirname } from 'node:path';
import { BusyError, LocalFileError, systemErrorCode, UsageError } from '../../errors.ts';
import { fileError } from '../../util/file-error.ts';

/** Nobody but the server's user may have WAL pushed and files written. */
const socketMode = 0o600;

/** On Linux; elsewhere it is a little less. @see unix(7), sun_path */
const longestPathBytes = 107;

/**
 * Makes the server listen on a Unix socket of this path. A socket that nobody listens on any longer, left behind by a daemon that was
 * killed, is replaced.
 *
 * @throws {@link UsageError} when the path is too long for a socket
 * @throws {@link BusyError} when somebody listens there
 * @throws {@link LocalFileError} or {@link PermissionError} when another kind of file is there, or none can be
 */
export async function listenAt(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > longestPathBytes) {
    throw new UsageError(`cannot listen on ${path}: a socket's path has at most ${longestPathBytes} bytes`);
  }
  await makeRoom(path);
  try {
    server.listen({ path });
    await once(server, 'listening');
    await chmod(path, socketMode);
  } catch (error) {
    server.close();
    throw fileError(`cannot listen on ${path}`, dirname(path), error);
  }
}

async function makeRoom(path: string): Promise<void> {
  try {
    // For a directory that does not exist, listen(2) would speak of permissions here.
    await stat(dirname(path));
    const status = await lstat(path).catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (status === undefined) return;
    if (!status.isSocket()) {
      throw new LocalFileError(`cannot listen on ${path}: there is a file, and it is no socket`, {
        hint: 'Name a path at which there is nothing.',
      });
    }
    if (await isAnswered(path)) {
      throw new BusyError(`cannot listen on ${path}: another daemon does`, { hint: 'Stop it, or take another path.' });
    }
    await unlink(path);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw fileError(`cannot listen on ${path}`, dirname(path), error);
    throw error;
  }
}

/** A socket whose owner has ended refuses connections; everything else may be alive. */
async function isAnswered(path: string): Promise<boolean> {
  const client = createConnection({ path });
  try {
    await once(client, 'connect');
    return true;
  } catch (error) {
    return systemErrorCode(error) !== 'ECONNREFUSED';
  } finally {
    client.destroy();
  }
}

import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { systemErrorCode } from '../../errors.ts';
import type { Half } from '../spool.ts';

/**
 * Makes this process the only agent of a half. The lock is the name of a socket in Linux's abstract namespace, which has no file: the
 * kernel frees it with the process, whatever ends it, so there is nothing stale to judge and nothing to hand over. Nobody ever connects.
 * Processes of another network namespace do not see it; two agents do the same work twice, no more.
 *
 * @returns undefined when another process has it
 * @see unix(7), "Abstract sockets"
 */
export async function lockHalf(half: Half): Promise<AsyncDisposable | undefined> {
  const { dev, ino } = await stat(half.path, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  server.listen(`\0seawall-agent-${dev}-${ino}`);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (systemErrorCode(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
  server.unref();
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { describeError, systemErrorCode } from '../../src/errors.ts';
import { waitFor } from './wait-for.ts';

/** An HTTP server that answers. */
export interface RunningServer {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Ends the server when our end of the pipe closes, so that it goes with us even if we are killed. */
const leash = '"$@" & server=$!; cat > /dev/null; kill -9 "$server"; wait "$server" 2> /dev/null';

/** Starts a program and waits until it answers on its port; undefined when there is no such program. */
export async function startServer(
  program: string,
  args: readonly string[],
  port: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningServer | undefined> {
  const path = findProgram(program);
  if (path === undefined) return undefined;
  const child = spawn('sh', ['-c', leash, 'sh', path, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = once(child, 'close');
  const stop = async () => {
    child.stdin.end();
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitFor(`${program} to answer on port ${port}`, () => answers(url));
  } catch (error) {
    await stop();
    throw new Error(`${program} does not start: ${said}`, { cause: error });
  }
  return { url, stop };
}

export interface ContainerPlan {
  readonly image: string;
  readonly command: string[];
  /** Where it listens, inside. */
  readonly port: number;
  readonly environment?: Record<string, string>;
  /** Empty directories that it needs. */
  readonly folders?: readonly string[];
}

/** The same server from a container image. @throws when no container runtime answers, which is what a skipped suite then shows */
export async function startContainer(plan: ContainerPlan): Promise<RunningServer> {
  const { GenericContainer, Wait } = await import('testcontainers');
  try {
    const container = await new GenericContainer(plan.image)
      .withCommand(plan.command)
      .withEnvironment(plan.environment ?? {})
      .withTmpFs(Object.fromEntries((plan.folders ?? []).map((folder) => [folder, 'rw'])))
      .withExposedPorts(plan.port)
      .withWaitStrategy(Wait.forListeningPorts())
      .start();
    return {
      url: `http://${container.getHost()}:${container.getMappedPort(plan.port)}`,
      stop: async () => void (await container.stop()),
    };
  } catch (error) {
    throw new Error(`neither a program nor a container of ${plan.image} can be started: ${describeError(error)}`, {
      cause: error,
    });
  }
}

/** A port that was free a moment ago. The system gives those below 32768 to nobody who asks for any until the server is up. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if (systemErrorCode(error) === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** The path of a program on PATH or where `go install` puts programs. */
function findProgram(program: string): string | undefined {
  if (isAbsolute(program)) return existsSync(program) ? program : undefined;
  const goPath = process.env['GOPATH'] || join(homedir(), 'go');
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), join(goPath, 'bin')];
  return folders.map((folder) => join(folder, program)).find(existsSync);
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

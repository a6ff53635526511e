import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { describeError } from '../../src/errors.ts';
import type { ServiceEndpoints, ServiceName } from './services.ts';
import { type RunningService, startAzurite, startFakeGcs, startVersitygw } from './start-services.ts';

type Starters = { readonly [Name in ServiceName]: () => Promise<RunningService<ServiceEndpoints[Name]>> };

const starters: Starters = { s3: startVersitygw, gcs: startFakeGcs, azure: startAzurite };

interface Broker {
  readonly url: string;
  close(): Promise<void>;
}

/** One broker for all projects of a run; each project loads this file anew. */
const shared = globalThis as { seawallBroker?: Promise<Broker>; seawallBrokerUsers?: number };

/** Runs once per project, before its tests. Nothing is started yet: that happens when a suite asks the broker for a service. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.seawallBroker ??= openBroker();
  shared.seawallBrokerUsers = (shared.seawallBrokerUsers ?? 0) + 1;
  const broker = await shared.seawallBroker;
  project.provide('servicesUrl', broker.url);
  return async () => {
    shared.seawallBrokerUsers = (shared.seawallBrokerUsers ?? 1) - 1;
    if (shared.seawallBrokerUsers > 0) return;
    delete shared.seawallBroker;
    await broker.close();
  };
}

/** `GET /s3` starts that service, or finds it started, and tells where it is or why it is not to be had. */
async function openBroker(): Promise<Broker> {
  const started = new Map<ServiceName, Promise<RunningService<object>>>();
  const server = createServer((request, response) => {
    const name = request.url?.slice(1) as ServiceName;
    const service = started.get(name) ?? start(name);
    started.set(name, service);
    void answer(service, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.close();
      server.closeAllConnections();
      const services = await Promise.allSettled(started.values());
      await Promise.all(
        services.map(async (service) => service.status === 'fulfilled' && (await service.value.stop())),
      );
    },
  };
}

function start(name: ServiceName): Promise<RunningService<object>> {
  const service: Promise<RunningService<object>> = starters[name]();
  service.catch((error: unknown) => {
    process.stderr.write(`The tests on the service ${name} cannot run: ${describeError(error)}\n`);
  });
  return service;
}

async function answer(service: Promise<RunningService<object>>, response: ServerResponse): Promise<void> {
  const body = await service.then(
    ({ endpoint }) => ({ endpoint }),
    (error: unknown) => ({ absence: describeError(error) }),
  );
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
}

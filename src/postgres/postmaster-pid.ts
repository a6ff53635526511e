import { IntegrityError } from '../errors.ts';

/** What a running server writes into `postmaster.pid`. The later lines come while it starts. */
export interface PostmasterPid {
  readonly processId: number;
  readonly dataDirectory: string;
  readonly startedAt: Date;
  readonly port: number | undefined;
  /** The first of `unix_socket_directories`; undefined when there is none. */
  readonly socketDirectory: string | undefined;
  /** The first of `listen_addresses`; undefined when it listens on none. */
  readonly listenAddress: string | undefined;
  readonly status: 'starting' | 'stopping' | 'ready' | 'standby' | undefined;
}

const statuses = ['starting', 'stopping', 'ready', 'standby'] as const;

/**
 * Parses `postmaster.pid`. That the file is there does not prove that the process still runs.
 *
 * @throws {@link IntegrityError} when the process id or the start time is missing
 * @see postgres src/include/utils/pidfile.h
 */
export function parsePostmasterPid(text: string): PostmasterPid {
  const [processId, dataDirectory = '', startTime, port, socketDirectory, listenAddress, , status] = text.split('\n');
  // A server in single-user mode writes its process id with a minus sign.
  if (
    processId === undefined ||
    !/^-?[1-9]\d*$/.test(processId) ||
    startTime === undefined ||
    !/^\d+$/.test(startTime)
  ) {
    throw new IntegrityError('postmaster.pid cannot be read: the process id or the start time is missing');
  }
  return {
    processId: Math.abs(Number(processId)),
    dataDirectory,
    startedAt: new Date(Number(startTime) * 1000),
    port: port === undefined || port === '' ? undefined : Number(port),
    socketDirectory: socketDirectory || undefined,
    listenAddress: listenAddress || undefined,
    status: statuses.find((candidate) => candidate === status?.trim()),
  };
}

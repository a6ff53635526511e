import { systemErrorCode } from '../../errors.ts';

/** What is known of a request that got no answer. */
export interface TransportFailure {
  readonly retryable: boolean;
  readonly hint?: string;
}

/** OpenSSL's names for certificates that cannot be trusted, and Node's own for TLS. */
const certificateFaults = /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|^ERR_(TLS|SSL)/;

/** Sockets, names and streams that failed; the same request may pass the next time. */
const transientFaults =
  /^(E(CONN(REFUSED|RESET|ABORTED)|PIPE|TIMEDOUT|HOST(DOWN|UNREACH)|NET(DOWN|UNREACH|RESET)|AI_AGAIN|NOTFOUND|ADDRNOTAVAIL|MFILE|NFILE)|ERR_STREAM_PREMATURE_CLOSE|ERR_SOCKET_.*|HPE_.*|UND_ERR_.*)$/;

/**
 * Judges an error by the system codes in it and its causes. Undefined when it has none, so that it is not a matter of the
 * connection.
 *
 * A wrong certificate is permanent: nobody heals it by asking again, and it may be a sign of somebody in between. A name that is
 * not found is not: resolvers of a starting container say so, too.
 */
export function transportFailure(error: unknown): TransportFailure | undefined {
  for (const code of codesOf(error)) {
    if (certificateFaults.test(code)) {
      return {
        retryable: false,
        hint: 'Check the host name of the endpoint, and name the file with the certificate of its authority (AWS_CA_BUNDLE for S3, NODE_EXTRA_CA_CERTS for every store).',
      };
    }
    if (code === 'EPROTO') {
      return { retryable: false, hint: 'Check whether the endpoint speaks https or http.' };
    }
    if (transientFaults.test(code)) {
      return { retryable: true, hint: 'Check the endpoint, the network between here and there, and name resolution.' };
    }
  }
  return undefined;
}

/** Codes of an error, of its causes, and of the attempts that an AggregateError collects (one per address of a host). */
function* codesOf(error: unknown, depth = 0): Generator<string> {
  if (!(error instanceof Error) || depth > 5) return;
  const code = systemErrorCode(error);
  if (code !== undefined) yield code;
  if (error instanceof AggregateError) for (const one of error.errors) yield* codesOf(one, depth + 1);
  yield* codesOf(error.cause, depth + 1);
}

import { type Context, createContext } from '../../src/context.ts';

/** Work that goes on until it is disposed of, which throws what it threw. */
export interface RunningWork extends AsyncDisposable {
  readonly ended: Promise<void>;
}

/** Starts work that ends when its context is aborted. */
export function startWork(work: (context: Context) => Promise<void>): RunningWork {
  const end = new AbortController();
  const ended = work(createContext({ signal: end.signal }));
  ended.catch(() => undefined);
  return {
    ended,
    async [Symbol.asyncDispose]() {
      end.abort();
      await ended;
    },
  };
}

import { IntegrityError } from '../errors.ts';
import { byteStringAsText, bytesOf, isUtf8ByteString } from '../util/byte-string.ts';
import type { Arrival, ExpectedFiles } from './expected-files.ts';
import type { FileSources } from './file-sources.ts';

/** How much of a file has come; files that are equally far share one. */
interface Progress extends FileSources {
  readonly doneCount: number;
  next?: Progress;
}

interface Waiting {
  readonly link: number;
  readonly go: () => void;
  readonly fail: (error: IntegrityError) => void;
}

export interface PlannedFilesOptions {
  /** Whether a file that is not in the list is laid down nevertheless; otherwise it is left out, as WAL-G does. */
  readonly takeUnlisted: (path: string) => boolean;
  /** Told of a file that is left out. */
  readonly onUnlisted: (path: string, objectName: string) => void;
  /** Ends the waiting for newer links. */
  readonly signal: AbortSignal;
}

/**
 * The files of a backup as its list of files has them, each from the links of the chain that hold it. Links may be unpacked side by side:
 * what an older one has of a file waits until the newer ones have laid down theirs.
 */
export function createPlannedFiles(
  sources: ReadonlyMap<string, FileSources>,
  { takeUnlisted, onUnlisted, signal }: PlannedFilesOptions,
): ExpectedFiles {
  const files = new Map<string, Progress>();
  const beginnings = new Map<FileSources, Progress>();
  for (const [path, source] of sources) {
    const beginning = beginnings.get(source) ?? { links: source.links, doneCount: 0 };
    beginnings.set(source, beginning);
    files.set(path, beginning);
  }
  const waiting = new Map<string, Waiting[]>();
  const endedLinks = new Set<number>();

  const arriveUnlisted = (path: string, objectName: string): Arrival | undefined => {
    if (!isUtf8ByteString(path)) {
      throw new IntegrityError(`${objectName} holds a name that is not UTF-8: ${bytesOf(path).toString('hex')} in hex`);
    }
    if (takeUnlisted(path)) return { form: 'file', expected: undefined };
    onUnlisted(path, objectName);
    return undefined;
  };

  const turnOf = async (path: string, link: number): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      const { links, doneCount } = files.get(path) ?? { links: [link], doneCount: 0 };
      const next = links[doneCount] ?? link;
      if (next === link) return;
      if (endedLinks.has(next)) throw neverCame(path);
      await new Promise<void>((go, fail) => {
        waiting.set(path, [...(waiting.get(path) ?? []), { link: next, go, fail }]);
      });
    }
  };

  const wake = (path: string, act: (waiter: Waiting) => void) => {
    const waiters = waiting.get(path) ?? [];
    waiting.delete(path);
    waiters.forEach(act);
  };

  signal.addEventListener('abort', () => {
    for (const path of [...waiting.keys()]) wake(path, ({ go }) => go());
  });

  return {
    arrive(path, link, objectName) {
      const file = files.get(path);
      if (file === undefined) return link === 0 ? arriveUnlisted(path, objectName) : undefined;
      const position = file.links.indexOf(link);
      if (position === -1) return undefined;
      if (position < file.doneCount) {
        throw new IntegrityError(`${objectName} holds ${show(path)}, which has come before`);
      }
      const isLast = position === file.links.length - 1;
      const form = !isLast ? 'increment' : position === 0 ? 'file' : 'remainder';
      const arrival: Arrival = { form, expected: undefined };
      return position === file.doneCount ? arrival : turnOf(path, link).then(() => arrival);
    },
    complete(path, link) {
      const file = files.get(path);
      if (file === undefined || file.links[file.doneCount] !== link) return;
      file.next ??= { links: file.links, doneCount: file.doneCount + 1 };
      files.set(path, file.next);
      wake(path, ({ go }) => go());
    },
    endLink(link) {
      endedLinks.add(link);
      for (const path of [...waiting.keys()]) {
        wake(path, (waiter) => (waiter.link === link ? waiter.fail(neverCame(path)) : waiter.go()));
      }
    },
    missing() {
      const paths: string[] = [];
      for (const [path, { links, doneCount }] of files) {
        if (doneCount < links.length) paths.push(byteStringAsText(path));
      }
      return paths;
    },
  };
}

function neverCame(path: string): IntegrityError {
  return new IntegrityError(`a backup of the chain lists ${show(path)}, but none of its parts holds it`);
}

function show(path: string): string {
  return JSON.stringify(byteStringAsText(path));
}

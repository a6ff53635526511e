import { formatSegmentName, nextSegment, parseSegmentName } from '../../postgres/wal-name.ts';

/** How far ahead of recovery segments are fetched: as far as both allow. */
export interface PrefetchWindow {
  readonly segments: number;
  readonly sizeBytes: number;
}

export interface PrefetchState {
  /** The segment that recovery has taken or asked for last. */
  readonly position: string;
  readonly segmentSizeBytes: number;
  readonly window: PrefetchWindow;
  /** Those that a listing showed to exist. */
  readonly known: ReadonlySet<string>;
  /** Fetched and not yet taken. */
  readonly present: ReadonlySet<string>;
  readonly inFlight: ReadonlySet<string>;
}

export interface PrefetchPlan {
  /** The next segment to fetch, if any. */
  readonly fetch: string | undefined;
  /** The next segment, when the listing does not show it: it is not there, or was not when the listing was made. */
  readonly missing: string | undefined;
  /** Fetched segments that lie outside the window: recovery has gone on without them, or elsewhere. */
  readonly drop: readonly string[];
}

/**
 * Plans what to fetch ahead: the segments that follow the position on its timeline, one after the other as far as the window and the
 * archive go. Behind a gap nothing is fetched, since recovery will not get there.
 */
export function planPrefetch(state: PrefetchState): PrefetchPlan {
  const count = windowLength(state.window, state.segmentSizeBytes);
  const wanted = namesBehind(state.position, count, state.segmentSizeBytes);
  const next = wanted.find((name) => !state.present.has(name) && !state.inFlight.has(name));
  const isThere = next !== undefined && state.known.has(next);
  return {
    fetch: isThere ? next : undefined,
    missing: isThere ? undefined : next,
    drop: [...state.present].filter((name) => !wanted.includes(name)),
  };
}

/** How many segments the window holds. */
export function windowLength({ segments, sizeBytes }: PrefetchWindow, segmentSizeBytes: number): number {
  return Math.min(segments, Math.floor(sizeBytes / segmentSizeBytes));
}

function namesBehind(position: string, count: number, segmentSizeBytes: number): string[] {
  const names: string[] = [];
  let segment = parseSegmentName(position, segmentSizeBytes);
  for (let index = 0; index < count; index += 1) {
    segment = nextSegment(segment);
    names.push(formatSegmentName(segment, segmentSizeBytes));
  }
  return names;
}

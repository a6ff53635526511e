import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PrefetchState, planPrefetch, windowLength } from '../../../src/wal/agent/plan-prefetch.ts';

const mib = 1024 * 1024;

/** Segments of timeline 1 by their numbers. */
function segments(...numbers: readonly number[]): Set<string> {
  return new Set(
    numbers.map((number) => `0000000100000000000000${number.toString(16).padStart(2, '0').toUpperCase()}`),
  );
}

function name(number: number): string {
  return [...segments(number)][0] ?? '';
}

function plan(changes: Partial<PrefetchState>) {
  return planPrefetch({
    position: name(2),
    segmentSizeBytes: 16 * mib,
    window: { segments: 4, sizeBytes: 1024 * mib },
    known: segments(1, 2, 3, 4, 5, 6, 7, 8),
    present: new Set(),
    inFlight: new Set(),
    ...changes,
  });
}

describe('planPrefetch', () => {
  it('takes the segments behind the position one after the other', () => {
    expect(plan({})).toEqual({ fetch: name(3), missing: undefined, drop: [] });
    expect(plan({ inFlight: segments(3) }).fetch).toBe(name(4));
    expect(plan({ inFlight: segments(4), present: segments(3) }).fetch).toBe(name(5));
  });

  it('stops at the end of the window, in segments and in bytes', () => {
    expect(plan({ present: segments(3, 4, 5, 6) })).toEqual({ fetch: undefined, missing: undefined, drop: [] });
    expect(plan({ present: segments(3), window: { segments: 4, sizeBytes: 17 * mib } }).fetch).toBeUndefined();
    expect(plan({ window: { segments: 4, sizeBytes: 15 * mib } }).fetch).toBeUndefined();
    expect(plan({ window: { segments: 0, sizeBytes: 1024 * mib } }).fetch).toBeUndefined();
  });

  it('goes no further than a listing shows, and not beyond a gap', () => {
    expect(plan({ known: new Set() })).toEqual({ fetch: undefined, missing: name(3), drop: [] });
    expect(plan({ known: segments(4, 5) })).toEqual({ fetch: undefined, missing: name(3), drop: [] });
    expect(plan({ known: segments(3, 5), present: segments(3) }).missing).toBe(name(4));
  });

  it('drops what recovery has left behind, and what belongs elsewhere', () => {
    const other = '000000020000000000000003';
    expect(plan({ present: new Set([...segments(1, 2, 3, 7), other]) }).drop).toEqual([
      name(1),
      name(2),
      name(7),
      other,
    ]);
  });

  it('counts on from one log to the next as the segment size has it', () => {
    const position = '0000000100000000000000FF';
    const known = new Set(['000000010000000100000000']);
    expect(plan({ position, known }).fetch).toBe('000000010000000100000000');
    expect(plan({ position: '00000001000000000000003F', segmentSizeBytes: 64 * mib, known }).fetch).toBe(
      '000000010000000100000000',
    );
  });

  it('never wants more than the window, whatever is there', () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 40 });
    fc.assert(
      fc.property(numbers, numbers, numbers, fc.nat(20), (known, present, inFlight, count) => {
        const window = { segments: count, sizeBytes: 1024 * mib };
        const state = { known: segments(...known), present: segments(...present), inFlight: segments(...inFlight) };
        const { fetch, missing, drop } = plan({ ...state, window, position: name(10) });
        const wanted = segments(...Array.from({ length: windowLength(window, 16 * mib) }, (_, index) => 11 + index));
        if (fetch !== undefined) {
          expect(wanted.has(fetch) && state.known.has(fetch)).toBe(true);
          expect(state.present.has(fetch) || state.inFlight.has(fetch)).toBe(false);
        }
        if (missing !== undefined) expect(wanted.has(missing) && !state.known.has(missing)).toBe(true);
        expect(drop.filter((dropped) => wanted.has(dropped))).toEqual([]);
        expect([...state.present].filter((held) => !wanted.has(held) && !drop.includes(held))).toEqual([]);
      }),
    );
  });
});

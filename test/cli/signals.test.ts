import { describe, expect, it } from 'vitest';
import { watchSignals } from '../../src/cli/signals.ts';

describe('watchSignals', () => {
  it('aborts at the first signal, and takes one that comes at once for the same one', () => {
    const watch = watchSignals();
    expect(watch.signal.aborted).toBe(false);
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGTERM', 'SIGTERM');
    expect(watch.signal.aborted).toBe(true);
    expect(watch.received).toBe('SIGTERM');
    watch.stop();
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });
});

import { readdirSync, readFileSync } from 'node:fs';

/** How often the processes are looked at. The kernel keeps each one's peak, so only the very end of a process can be missed. */
const intervalMs = 20;

/** Peak resident memory in MiB, by kind of process. */
export type PeakMemory = Record<string, number>;

/** Watches every process of ours until it is stopped. It costs some CPU: not for runs whose time counts. */
export function watchMemory(kinds: Readonly<Record<string, RegExp>>): { stop(): PeakMemory } {
  const peaks: PeakMemory = {};
  const timer = setInterval(() => {
    for (const processId of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const seen = look(processId);
      const kind = Object.keys(kinds).find((name) => kinds[name]?.test(seen.commandLine));
      if (kind !== undefined) peaks[kind] = Math.max(peaks[kind] ?? 0, seen.peakMib);
    }
  }, intervalMs);
  return {
    stop() {
      clearInterval(timer);
      return peaks;
    },
  };
}

function look(processId: string): { readonly commandLine: string; readonly peakMib: number } {
  try {
    const commandLine = readFileSync(`/proc/${processId}/cmdline`, 'utf8').replaceAll('\0', ' ');
    const peakKib = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1];
    return { commandLine, peakMib: Number(peakKib ?? 0) / 1024 };
  } catch {
    // The process has ended between the two looks.
    return { commandLine: '', peakMib: 0 };
  }
}

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A duration as a setting gives it, in milliseconds: `500ms`, `30s`, `5min` (or `5m`), `1h`, `2d`, `1m30s`; a bare number is seconds.
 * Undefined when it is something else.
 */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * 1000);
  let ms = 0;
  const rest = trimmed.replaceAll(/(\d+(?:\.\d+)?)\s*(ms|min|[smhd])\s*/g, (_, number: string, unit: string) => {
    ms += Number(number) * (unitsMs[unit] ?? 0);
    return '';
  });
  return trimmed === '' || rest !== '' ? undefined : Math.round(ms);
}

/** A duration for people: `850 ms`, `12.3 s`, `4 min 10 s`, `2 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.floor((ms % 60_000) / 1000);
  if (minutes < 60) return `${minutes} min${seconds === 0 ? '' : ` ${seconds} s`}`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
}

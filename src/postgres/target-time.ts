import { UsageError } from '../errors.ts';

/** A moment to recover to, exact to the microsecond as PostgreSQL keeps commit times. */
export interface TargetTime {
  /** To the millisecond, cut off: for comparing with other instants. */
  readonly at: Date;
  /** In UTC, as PostgreSQL reads it whatever its own settings: `2026-11-21 08:30:00.123456+00`. */
  readonly utcText: string;
}

const pattern =
  /^(?<date>\d{4}-\d{2}-\d{2})(?:[Tt]|\s+)(?<minute>\d{2}:\d{2})(?::(?<second>\d{2})(?:\.(?<fraction>\d{1,6}))?)?\s*(?<zone>\S.*)?$/;

/**
 * Reads a date and time with its zone: `2026-11-21 10:30+02`, `2026-11-21T08:30:00.123456Z`, `2026-11-21 10:30 Europe/Berlin`.
 * Seconds and fraction may be missing, the zone may not: the machine's own zone is nobody's intention on a server.
 *
 * @throws {@link UsageError} when it has another shape or no zone, is no real date, or its zone skips or repeats that hour
 */
export function parseTargetTime(text: string): TargetTime {
  const { date = '', minute, second = '00', fraction = '', zone } = pattern.exec(text.trim())?.groups ?? {};
  const local = `${date} ${minute}:${second}`;
  const localMs = Date.parse(`${date}T${minute}:${second}Z`);
  // Date.parse takes the 30th of February for the 2nd of March.
  if (date === '' || Number.isNaN(localMs) || !new Date(localMs).toISOString().startsWith(date)) {
    throw new UsageError(`not a date and time: ${JSON.stringify(text)}`, { hint: zoneHint('2026-11-21 10:30:00') });
  }
  if (zone === undefined) {
    throw new UsageError(`target time ${local} has no time zone`, { hint: zoneHint(local) });
  }
  const instantMs = localMs - offsetMs(zone, localMs, local);
  const seconds = new Date(instantMs).toISOString().slice(0, 19).replace('T', ' ');
  return {
    at: new Date(instantMs + Number(fraction.padEnd(3, '0').slice(0, 3))),
    utcText: `${seconds}${fraction === '' ? '' : `.${fraction}`}+00`,
  };
}

function zoneHint(example: string): string {
  return `Write it with its zone: '${example}Z', '${example}+02:00' or '${example} Europe/Berlin'.`;
}

/** How far local time is ahead of UTC. */
function offsetMs(zone: string, localMs: number, local: string): number {
  if (/^(Z|UTC|GMT)$/i.test(zone)) return 0;
  const numeric = /^(?<sign>[+-])(?<hours>0\d|1[0-5])(?::?(?<minutes>[0-5]\d))?$/.exec(zone)?.groups;
  if (numeric !== undefined) {
    const minutes = Number(numeric['hours']) * 60 + Number(numeric['minutes'] ?? 0);
    return (numeric['sign'] === '-' ? -minutes : minutes) * 60_000;
  }
  return namedZoneOffsetMs(zone, localMs, local);
}

function namedZoneOffsetMs(zone: string, localMs: number, local: string): number {
  const dayMs = 86_400_000;
  // The offset changes at most once within two days, so the zone can only have one of these two.
  const candidates = new Set([localMs - dayMs, localMs + dayMs].map((instantMs) => zoneOffsetMs(zone, instantMs)));
  const fitting = [...candidates].filter((candidate) => zoneOffsetMs(zone, localMs - candidate) === candidate);
  const [offset] = fitting;
  if (offset === undefined) {
    throw new UsageError(`target time ${local} does not exist in ${zone}: the clocks skip it`, {
      hint: zoneHint(local),
    });
  }
  if (fitting.length > 1) {
    const instants = fitting.map((candidate) => new Date(localMs - candidate).toISOString().replace('.000', ''));
    throw new UsageError(`target time ${local} comes twice in ${zone}`, {
      hint: `Say which one is meant: ${instants.toSorted().join(' or ')}.`,
    });
  }
  return offset;
}

/** The offset of an IANA zone at an instant. Abbreviations are refused: `IST` is three different zones. */
function zoneOffsetMs(zone: string, instantMs: number): number {
  const refusal = (cause?: unknown): UsageError =>
    new UsageError(`unknown time zone: ${JSON.stringify(zone)}`, {
      cause,
      hint: "Give an offset such as +02:00, UTC, or the zone's full name such as Europe/Berlin.",
    });
  if (!zone.includes('/')) throw refusal();
  let formatter: Intl.DateTimeFormat;
  try {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch (error) {
    throw refusal(error);
  }
  const offset = formatter.formatToParts(instantMs).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(offset) ?? [];
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -ms : ms;
}

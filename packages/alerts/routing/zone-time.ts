/** A moment as a wall clock and calendar in some time zone show it. */
export interface ZonedTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly minuteOfDay: number;
}

const MINUTE_MS = 60_000;
const MAX_ZONES = 1_000;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  lastMinute: number;
  last: ZonedTime;
}

const zones = new Map<string, Zone>();

/** True for a name of the time zone database (`Europe/Berlin`), `UTC`, or '' and `Local`, which are UTC here. */
export function isTimeZone(name: string): boolean {
  if (isUtc(name)) return true;
  if (!/^[A-Za-z]/.test(name)) return false; // offsets such as +02:00, which Intl takes
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function isUtc(name: string): boolean {
  return name === 'UTC' || name === '' || name === 'Local';
}

/** The moment in the zone. Within a minute the same answer, kept for each zone: a storm asks for one moment again and again. */
export function zonedTime(ms: number, zoneName = 'UTC'): ZonedTime {
  if (isUtc(zoneName)) return readUtc(ms);
  const minute = Math.floor(ms / MINUTE_MS);
  let zone = zones.get(zoneName);
  if (!zone) {
    if (zones.size >= MAX_ZONES) zones.clear();
    zone = { format: createFormat(zoneName), lastMinute: Number.NaN, last: readUtc(0) };
    zones.set(zoneName, zone);
  }
  if (zone.lastMinute !== minute) {
    zone.last = readZoned(zone.format, minute * MINUTE_MS);
    zone.lastMinute = minute;
  }
  return zone.last;
}

function createFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
}

function readZoned(format: Intl.DateTimeFormat, ms: number): ZonedTime {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts;
  return readUtc(Date.UTC(year, month - 1, day, hour, minute));
}

function readUtc(ms: number): ZonedTime {
  const date = new Date(ms);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    minuteOfDay: date.getUTCHours() * 60 + date.getUTCMinutes(),
  };
}

/** Days of a month, 1 to 12. */
export function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** A place's offset from UTC in seconds at a time, and what the time is called there. */
export interface ZoneOffset {
  readonly seconds: number;
  readonly abbreviation: string;
}

/** The offsets of a place; */
export interface Zone {
  readonly name: string;
  readonly offsetAt: (timeMs: number) => ZoneOffset;
}

export const utc: Zone = { name: 'UTC', offsetAt: () => ({ seconds: 0, abbreviation: 'UTC' }) };

/** A zone that is only an offset, as a time text of RFC 3339 gives it; it has no abbreviation. */
export function fixedZone(seconds: number): Zone {
  return seconds === 0 ? utc : { name: '', offsetAt: () => ({ seconds, abbreviation: '' }) };
}

const zones = new Map<string, Zone>();
const MAX_ZONES = 1_000;

/** The zone of a name of the tz database, with the offsets of this machine's ICU; undefined where it has none of that name. */
export function findZone(name: string): Zone | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return utc;
  const known = zones.get(name);
  if (known) return known;
  const zone = createZone(name);
  if (zone && zones.size < MAX_ZONES) zones.set(name, zone);
  return zone;
}

function createZone(name: string): Zone | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name) || name.length > 64) return undefined;
  try {
    const clock = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const names = createAbbreviator(name);
    return { name, offsetAt: rememberQuarters((timeMs) => withAbbreviation(offsetSeconds(clock, timeMs), timeMs, names)) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const QUARTER_MS = 900_000;
const MAX_QUARTERS = 200;

/** Asking ICU takes long; since the days of local mean time, offsets change on quarters of an hour alone. */
function rememberQuarters(ask: (timeMs: number) => ZoneOffset): (timeMs: number) => ZoneOffset {
  const known = new Map<number, ZoneOffset>();
  return (timeMs) => {
    const quarter = Math.floor(timeMs / QUARTER_MS);
    const offset = known.get(quarter) ?? ask(timeMs);
    if (known.size >= MAX_QUARTERS) known.clear();
    known.set(quarter, offset);
    return offset;
  };
}

function offsetSeconds(clock: Intl.DateTimeFormat, timeMs: number): number {
  const part: Record<string, string> = {};
  for (const { type, value } of clock.formatToParts(timeMs)) part[type] = value;
  const year = part.era === 'BC' ? 1 - Number(part.year) : Number(part.year);
  const local = new Date(0);
  local.setUTCFullYear(year, Number(part.month) - 1, Number(part.day));
  local.setUTCHours(Number(part.hour), Number(part.minute), Number(part.second));
  return Math.round((local.getTime() - Math.floor(timeMs / 1_000) * 1_000) / 1_000);
}

/** ICU names a zone's time only in the languages of the people who live there. */
const locales = ['en-US', 'en-GB', 'en-AU', 'en-CA', 'en-NZ', 'en-IN', 'en-ZA'];

function createAbbreviator(timeZone: string): readonly Intl.DateTimeFormat[] {
  return locales.map((locale) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' }));
}

/** Names that ICU has in no English. */
const further: Readonly<Record<string, string>> = {
  'Asia/Tokyo': 'JST',
  'Asia/Seoul': 'KST',
  'Asia/Shanghai': 'CST',
  'Asia/Taipei': 'CST',
  'Asia/Hong_Kong': 'HKT',
  'Asia/Manila': 'PST',
  'Asia/Jakarta': 'WIB',
  'Asia/Karachi': 'PKT',
  'Europe/Moscow': 'MSK',
  'Africa/Lagos': 'WAT',
  'Africa/Nairobi': 'EAT',
};

function withAbbreviation(seconds: number, timeMs: number, names: readonly Intl.DateTimeFormat[]): ZoneOffset {
  for (const format of names) {
    const name = format.formatToParts(timeMs).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{2,5}$/.test(name)) return { seconds, abbreviation: name };
  }
  const known = further[names[0]?.resolvedOptions().timeZone ?? ''];
  return { seconds, abbreviation: known ?? describeOffset(seconds) };
}

/** `+03`, `+0545`: what the tz database itself calls a time that has no name. */
function describeOffset(seconds: number): string {
  const size = Math.floor(Math.abs(seconds) / 60);
  const [hours, minutes] = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, '0'));
  return `${seconds < 0 ? '-' : '+'}${hours}${minutes === '00' ? '' : minutes}`;
}

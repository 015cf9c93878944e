import { OpsError } from '#core/errors.ts';
import { createDuration, durationNs } from './go-duration.ts';
import { type Clock, dayNames, formatLayout, monthNames } from './go-time-format.ts';
import type { GoFunction, GoNamed, GoStruct, GoType, Value } from './go-values.ts';
import { fixedZone, utc, type Zone } from './time-zone.ts';

/** A time.Time: nanoseconds since 1970 and the zone it is read in. */
export interface GoTime extends GoStruct {
  readonly ns: bigint;
  readonly zone: Zone;
}

const SECOND = 1_000_000_000n;
/** The first second of year 1, which is Go's zero time. */
const zeroNs = -62_135_596_800n * SECOND;
/** Years that a JavaScript date can hold, in nanoseconds. */
const MAX_NS = 8_640_000_000_000_000n * 1_000_000n;

export function createTime(ns: bigint, zone: Zone = utc): GoTime {
  if (ns > MAX_NS || ns < -MAX_NS) throw new OpsError('input', 'time is out of range');
  return { kind: 'struct', type: timeType, fields: {}, ns, zone };
}

export function createTimeOfMs(timeMs: number): GoTime {
  return createTime(BigInt(Math.round(timeMs)) * 1_000_000n);
}

export const zeroTime = (): GoTime => createTime(zeroNs);

export function isTime(value: Value): value is GoTime {
  return typeof value === 'object' && value !== null && value.kind === 'struct' && value.type === timeType;
}

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9})\d*)?(Z|[+-]\d{2}:\d{2})$/;

/** A time in RFC 3339, to the nanosecond and in its own offset, or undefined where the text is none. */
export function parseRfc3339(text: string): GoTime | undefined {
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', offset] = match as unknown as string[];
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const valid = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && Number(hour) < 24;
  if (!valid || Number(minute) > 59 || Number(second) > 59) return undefined;
  const seconds = offset === 'Z' ? 0 : Number(`${offset?.[0]}1`) * (Number(offset?.slice(1, 3)) * 3600 + Number(offset?.slice(4)) * 60);
  const ns = (BigInt(date.getTime()) / 1_000n - BigInt(seconds)) * SECOND + BigInt(fraction.padEnd(9, '0'));
  return createTime(ns, fixedZone(seconds));
}

/** A time's parts in its zone. */
function readClock({ ns, zone }: GoTime): Clock {
  const nanosecond = ((ns % SECOND) + SECOND) % SECOND;
  const unixMs = Number((ns - nanosecond) / 1_000_000n);
  const offset = zone.offsetAt(unixMs);
  const local = new Date(unixMs + offset.seconds * 1_000);
  const newYear = new Date(0);
  newYear.setUTCFullYear(local.getUTCFullYear(), 0, 1);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    nanosecond: Number(nanosecond),
    weekday: local.getUTCDay(),
    yearDay: Math.floor((local.getTime() - newYear.getTime()) / 86_400_000) + 1,
    zone: offset,
  };
}

/** A time in one of Go's layouts. */
export function formatTime(time: GoTime, layout: string): string {
  return formatLayout(layout, readClock(time));
}

function enumType(name: string, names: readonly string[], first: number): GoType {
  const text = (value: GoNamed) => names[Number(value.value) - first] ?? String(value.value);
  return { name, text, methods: { String: { params: [], call: (_args, _context, receiver) => text(receiver as GoNamed) } } };
}

const monthType = enumType('time.Month', monthNames, 1);
const weekdayType = enumType('time.Weekday', dayNames, 0);

function method(params: readonly string[], call: (time: GoTime, args: readonly Value[]) => Value): GoFunction {
  return { params, call: (args, _context, receiver) => call(receiver as GoTime, args) };
}

const part = (read: (clock: Clock) => number) => method([], (time) => BigInt(read(readClock(time))));
const unix = (unit: bigint) => method([], ({ ns }) => (ns - (((ns % unit) + unit) % unit)) / unit);
const other = (args: readonly Value[]) => args[0] as GoTime;

/** Moves ns down to a multiple of a unit since year 1; a unit that is not positive changes nothing. */
function truncate(ns: bigint, unit: bigint): bigint {
  return unit <= 0n ? ns : ns - ((ns - zeroNs) % unit);
}

function addDate(time: GoTime, [years, months, days]: readonly Value[]): GoTime {
  const clock = readClock(time);
  const date = new Date(0);
  date.setUTCFullYear(clock.year + Number(years), clock.month - 1 + Number(months), clock.day + Number(days));
  date.setUTCHours(clock.hour, clock.minute, clock.second);
  if (Number.isNaN(date.getTime())) throw new OpsError('input', 'time is out of range');
  const offset = time.zone.offsetAt(date.getTime() - clock.zone.seconds * 1_000);
  return createTime((BigInt(date.getTime()) / 1_000n - BigInt(offset.seconds)) * SECOND + BigInt(clock.nanosecond), time.zone);
}

const timeType: GoType = {
  name: 'time.Time',
  text: (time: GoTime) => formatTime(time, '2006-01-02 15:04:05.999999999 -0700 MST'),
  methods: {
    String: method([], (time) => formatTime(time, '2006-01-02 15:04:05.999999999 -0700 MST')),
    Format: method(['string'], (time, [layout]) => formatTime(time, layout as string)),
    UTC: method([], ({ ns }) => createTime(ns)),
    Local: method([], ({ ns }) => createTime(ns)),
    Unix: unix(SECOND),
    UnixMilli: unix(1_000_000n),
    UnixMicro: unix(1_000n),
    UnixNano: method([], ({ ns }) => ns),
    Year: part(({ year }) => year),
    Month: method([], (time) => ({ kind: 'named', type: monthType, value: BigInt(readClock(time).month) })),
    Day: part(({ day }) => day),
    Hour: part(({ hour }) => hour),
    Minute: part(({ minute }) => minute),
    Second: part(({ second }) => second),
    Nanosecond: part(({ nanosecond }) => nanosecond),
    Weekday: method([], (time) => ({ kind: 'named', type: weekdayType, value: BigInt(readClock(time).weekday) })),
    YearDay: part(({ yearDay }) => yearDay),
    IsZero: method([], ({ ns }) => ns === zeroNs),
    Add: method(['time.Duration'], ({ ns, zone }, [duration]) => createTime(ns + durationNs(duration), zone)),
    Sub: method(['time.Time'], ({ ns }, args) => createDuration(ns - other(args).ns)),
    After: method(['time.Time'], ({ ns }, args) => ns > other(args).ns),
    Before: method(['time.Time'], ({ ns }, args) => ns < other(args).ns),
    Equal: method(['time.Time'], ({ ns }, args) => ns === other(args).ns),
    Compare: method(['time.Time'], ({ ns }, args) => (ns < other(args).ns ? -1n : ns > other(args).ns ? 1n : 0n)),
    AddDate: method(['int', 'int', 'int'], addDate),
    Truncate: method(['time.Duration'], ({ ns, zone }, [unit]) => createTime(truncate(ns, durationNs(unit)), zone)),
    Round: method(['time.Duration'], ({ ns, zone }, [unit]) => {
      const size = durationNs(unit);
      return createTime(size <= 0n ? ns : truncate(ns + size / 2n + (size % 2n), size), zone);
    }),
  },
};

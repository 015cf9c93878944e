import type { GoFunction, GoNamed, GoType, Value } from './go-values.ts';

const MICRO = 1_000n;
const MILLI = 1_000_000n;
const SECOND = 1_000_000_000n;

/** Nanoseconds of a duration; only of one. */
export function durationNs(value: Value): bigint {
  return (value as GoNamed).value as bigint;
}

/** `1h2m3.5s`, `1.5ms`, `0s`: Go's Duration.String. */
export function formatDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const size = ns < 0n ? -ns : ns;
  if (size < SECOND) {
    const [unit, name] = size < MICRO ? [1n, 'ns'] : size < MILLI ? [MICRO, 'µs'] : [MILLI, 'ms'];
    return `${sign}${decimal(size, unit as bigint)}${name}`;
  }
  const minutes = size / (60n * SECOND);
  const seconds = decimal(size % (60n * SECOND), SECOND);
  if (minutes === 0n) return `${sign}${seconds}s`;
  return `${sign}${minutes >= 60n ? `${minutes / 60n}h` : ''}${minutes % 60n}m${seconds}s`;
}

function decimal(size: bigint, unit: bigint): string {
  const fraction =
    unit === 1n
      ? ''
      : (size % unit)
          .toString()
          .padStart(unit.toString().length - 1, '0')
          .replace(/0+$/, '');
  return `${size / unit}${fraction === '' ? '' : `.${fraction}`}`;
}

function method(params: readonly string[], call: (ns: bigint, args: readonly Value[]) => Value): GoFunction {
  return { params, call: (args, _context, receiver) => call(durationNs(receiver), args) };
}

const inUnits = (unit: bigint) => method([], (ns) => Number(ns / unit) + Number(ns % unit) / Number(unit));

const durationType: GoType = {
  name: 'time.Duration',
  text: (value: GoNamed) => formatDuration(value.value as bigint),
  methods: {
    String: method([], (ns) => formatDuration(ns)),
    Hours: inUnits(3600n * SECOND),
    Minutes: inUnits(60n * SECOND),
    Seconds: inUnits(SECOND),
    Milliseconds: method([], (ns) => ns / MILLI),
    Microseconds: method([], (ns) => ns / MICRO),
    Nanoseconds: method([], (ns) => ns),
    Abs: method([], (ns) => createDuration(ns < 0n ? -ns : ns)),
    Truncate: method(['time.Duration'], (ns, [unit]) => createDuration(truncate(ns, durationNs(unit)))),
    Round: method(['time.Duration'], (ns, [unit]) => createDuration(roundTo(ns, durationNs(unit)))),
  },
};

/** ns toward zero to a multiple of a unit; a unit that is not positive changes nothing. */
function truncate(ns: bigint, unit: bigint): bigint {
  return unit <= 0n ? ns : ns - (ns % unit);
}

function roundTo(ns: bigint, unit: bigint): bigint {
  if (unit <= 0n) return ns;
  const size = ns < 0n ? -ns : ns;
  const rest = size % unit;
  const rounded = rest * 2n >= unit ? size - rest + unit : size - rest;
  return ns < 0n ? -rounded : rounded;
}

const MAX = 2n ** 63n - 1n;

/** A time.Duration of nanoseconds, held at what an int64 can be. */
export function createDuration(ns: bigint): GoNamed {
  return { kind: 'named', type: durationType, value: ns > MAX ? MAX : ns < -MAX - 1n ? -MAX - 1n : ns };
}

export function isDuration(value: Value): value is GoNamed {
  return typeof value === 'object' && value !== null && value.kind === 'named' && value.type === durationType;
}

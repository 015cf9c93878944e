import { OpsError } from '#core/errors.ts';
import { parseGoFloat } from './constant.ts';
import { durationNs, isDuration } from './go-duration.ts';
import { formatFloat } from './go-float.ts';
import { createTime, type GoTime } from './go-time.ts';
import { type GoFunction, indirect, typeName, type Value } from './go-values.ts';

/** A number of any kind, a number as text, or a duration in seconds. `input` for anything else. */
export function toFloat(value: Value): number {
  const target = indirect(value);
  if (typeof target === 'number') return target;
  if (typeof target === 'bigint') return Number(target);
  if (isDuration(target)) return Number(durationNs(target)) / 1e9;
  if (typeof target !== 'string') throw new OpsError('input', `can't convert ${typeName(value)} to float`);
  const parsed = parseGoFloat(target);
  if (typeof parsed === 'string') throw new OpsError('input', parsed);
  return parsed;
}

const fourDigits = (value: number) => formatFloat(value, 'g', 4);

/** Divides by `step` for every prefix until it is below it. */
function scaleDown(value: number, step: number, prefixes: readonly string[]): string {
  let scaled = value;
  let prefix = '';
  for (const name of prefixes) {
    if (Math.abs(scaled) < step) break;
    prefix = name;
    scaled /= step;
  }
  return fourDigits(scaled) + prefix;
}

function scaleUp(value: number): string {
  let scaled = value;
  let prefix = '';
  for (const name of ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']) {
    if (Math.abs(scaled) >= 1) break;
    prefix = name;
    scaled *= 1_000;
  }
  return fourDigits(scaled) + prefix;
}

/** `1.235M`, `120m`: four digits with a decimal prefix. */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return fourDigits(value);
  return Math.abs(value) >= 1 ? scaleDown(value, 1_000, ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']) : scaleUp(value);
}

/** `1.177Mi`: four digits with a binary prefix. */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return fourDigits(value);
  return scaleDown(value, 1_024, ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']);
}

/** `1d 2h 3m 4s`, `12.35s`, `120ms`: seconds in the units that people use. */
export function humanizeDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return fourDigits(seconds);
  if (seconds === 0) return `${fourDigits(seconds)}s`;
  if (Math.abs(seconds) < 1) return `${scaleUp(seconds)}s`;
  const sign = seconds < 0 ? '-' : '';
  const size = Math.abs(seconds);
  const whole = BigInt(Math.trunc(size));
  const parts = [`${whole / 86_400n}d`, `${(whole / 3_600n) % 24n}h`, `${(whole / 60n) % 60n}m`, `${whole % 60n}s`];
  const first = whole >= 86_400n ? 0 : whole >= 3_600n ? 1 : whole >= 60n ? 2 : 3;
  return first === 3 ? `${sign}${fourDigits(size)}s` : sign + parts.slice(first).join(' ');
}

/** Seconds since 1970 as a time, to the millisecond. `input` for what is none, or past what nanoseconds in 64 bits can hold. */
export function toTime(seconds: number): GoTime {
  if (!Number.isFinite(seconds)) throw new OpsError('input', 'value is NaN or Inf');
  const ns = seconds * 1e9;
  if (Math.abs(ns) > 2 ** 63) {
    throw new OpsError(
      'input',
      `${formatFloat(seconds, 'g', -1)} cannot be represented as a nanoseconds timestamp since it overflows int64`,
    );
  }
  return createTime((BigInt(Math.trunc(ns)) / 1_000_000n) * 1_000_000n);
}

/** A function of the templates that takes any number. */
export function numeric(format: (value: number) => string): GoFunction {
  return { params: ['any'], call: ([value]) => format(toFloat(value)) };
}

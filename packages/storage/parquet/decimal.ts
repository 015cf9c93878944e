/** What a sample's value is stored as. */
export const STALE_KIND = 0;
export const DECIMAL_KIND = 1;
export const DOUBLE_KIND = 2;

/** 10^0 to 10^22: the powers of ten that float64 holds exactly. */
export const powersOfTen = new Float64Array(23);
for (let exponent = 0; exponent <= 22; exponent++) powersOfTen[exponent] = 10 ** exponent;

const MAX_MANTISSA = 2 ** 53;
/** Below this share of decimal values a run is noise that met a short decimal by chance (or at zero): all of it is stored as doubles. */
const MIN_DECIMAL_SHARE = 1 / 16;
/**
 * A mantissa may raise a run's exponent only below this: a double without any decimal meaning agrees with a grid of m steps
 * by chance once in 2^52 / m tries, and such a find would make the whole run's mantissas longer for nothing.
 */
const MAX_RAISING_MANTISSA = 2 ** 43;

/** Dense columns of split values; `kind` has a row per sample, the others one per decimal or double. */
export interface SplitColumns {
  readonly kind: Uint8Array;
  readonly mantissa: Float64Array;
  readonly exponent: Uint8Array;
  readonly double: Float64Array;
  decimals: number;
  doubles: number;
}

/**
 * Splits one run of values and appends them to `out` at row `at`. A value becomes `mantissa / 10^exponent` where that division
 * gives the very same double with |mantissa| <= 2^53 and 0 <= exponent <= 22, else it stays a double (as do NaN, infinities
 * and -0). The run shares the smallest exponent that holds all its decimal values, so that mantissas are comparable; a value
 * that would overflow at that exponent keeps a lower one or becomes a double.
 */
export function splitRun(values: Float64Array, stale: Uint8Array | undefined, out: SplitColumns, at: number): void {
  const { kind, mantissa, exponent, double } = out;
  const firstDecimal = out.decimals;
  const firstDouble = out.doubles;
  let decimals = out.decimals;
  let doubles = out.doubles;
  let current = 0;
  let power = 1;
  for (let i = 0; i < values.length; i++) {
    if (stale !== undefined && stale[i] === 1) {
      kind[at + i] = STALE_KIND;
      continue;
    }
    const value = values[i];
    let whole = Math.floor(value * power + 0.5);
    if (whole / power !== value || whole > MAX_MANTISSA || whole < -MAX_MANTISSA || (whole === 0 && Object.is(value, -0))) {
      const raised = findExponent(value, current + 1);
      if (raised === 0) {
        kind[at + i] = DOUBLE_KIND;
        double[doubles++] = value;
        continue;
      }
      current = raised;
      power = powersOfTen[current];
      whole = Math.floor(value * power + 0.5);
    }
    kind[at + i] = DECIMAL_KIND;
    mantissa[decimals] = whole;
    exponent[decimals++] = current;
  }
  if (decimals > firstDecimal && decimals - firstDecimal < (doubles - firstDouble) * MIN_DECIMAL_SHARE) {
    keepDoubles(values, out, at);
    return;
  }
  out.doubles = doubles;
  out.decimals = decimals;
  if (decimals > firstDecimal && exponent[firstDecimal] !== current) raiseExponents(mantissa, exponent, firstDecimal, decimals, current);
}

/** Stores a run as doubles throughout; `out.doubles` still counts from before the run. */
function keepDoubles(values: Float64Array, out: SplitColumns, at: number): void {
  for (let i = 0; i < values.length; i++) {
    if (out.kind[at + i] === STALE_KIND) continue;
    out.kind[at + i] = DOUBLE_KIND;
    out.double[out.doubles++] = values[i];
  }
}

/** The smallest exponent from `from` up that holds the value within the raising limit; 0 if there is none. */
function findExponent(value: number, from: number): number {
  const magnitude = Math.abs(value);
  if (!(magnitude > 0)) return 0;
  for (let exponent = from; exponent <= 22; exponent++) {
    const power = powersOfTen[exponent];
    const scaled = magnitude * power;
    if (scaled > MAX_RAISING_MANTISSA) return 0;
    if (Math.floor(scaled + 0.5) / power === magnitude) return exponent;
  }
  return 0;
}

/** Brings the values found at lower exponents up to the run's. m / 10^e and m * 10^k / 10^(e + k) are one number, so exactness stays. */
function raiseExponents(mantissa: Float64Array, exponent: Uint8Array, from: number, to: number, target: number): void {
  for (let i = from; i < to && exponent[i] !== target; i++) {
    const raised = mantissa[i] * powersOfTen[target - exponent[i]];
    if (raised > MAX_MANTISSA || raised < -MAX_MANTISSA) continue;
    mantissa[i] = raised;
    exponent[i] = target;
  }
}

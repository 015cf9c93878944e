/** Go's math.Max: +Inf wins over NaN, which wins over all else; +0 over -0. */
export function goMax(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}

/** Go's math.Min: -Inf wins over NaN, which wins over all else; -0 over +0. */
export function goMin(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}

/** Go's math.Pow: 1 to any power is 1, and so is -1 to an infinite one. */
export function goPow(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && (exponent === Infinity || exponent === -Infinity))) return 1;
  return base ** exponent;
}

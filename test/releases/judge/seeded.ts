/** Mulberry32: the same numbers on each run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Of unit variance, the correlation of neighbours `rho`. */
export function correlated(random: () => number, length: number, rho = 0, mean = 0): Float64Array {
  const series = new Float64Array(length);
  let value = normal(random);
  for (let i = 0; i < length; i++) {
    series[i] = value + mean;
    value = rho * value + Math.sqrt(1 - rho * rho) * normal(random);
  }
  return series;
}

const SQRT_TWO_PI = Math.sqrt(2 * Math.PI);
/** Where the series of the distribution function hands over to the continued fraction of its tail: both are good to 1e-15 around it. */
const SERIES_END = 4;

function normalDensity(z: number): number {
  return Math.exp(-0.5 * z * z) / SQRT_TWO_PI;
}

/**
 * P(Z <= z) of the standard normal distribution, to about 1e-15 of its value in either tail. Abramowitz and Stegun 26.2.11 (series) up to
 * 4 deviations, 26.2.14 (continued fraction) past it.
 */
export function normalCdf(z: number): number {
  if (z < -SERIES_END) return upperTail(-z);
  if (z > SERIES_END) return 1 - upperTail(z);
  return z < 0 ? lowerBySeries(z) : 0.5 + halfBySeries(z);
}

/** 0.5 - P(z < Z <= 0) loses digits where little is left, so that the fraction is taken early on this side. */
function lowerBySeries(z: number): number {
  return z < -1 ? upperTail(-z) : 0.5 - halfBySeries(-z);
}

/** P(0 < Z <= z): density times z + z^3/3 + z^5/(3 * 5) + ... */
function halfBySeries(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 1e-17; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return normalDensity(z) * sum;
}

/** P(Z > z) for z >= 1: density / (z + 1/(z + 2/(z + 3/...))), from the inside out. */
function upperTail(z: number): number {
  let fraction = z;
  for (let k = Math.ceil(40 + 600 / (z * z)); k > 0; k--) fraction = z + k / fraction;
  return normalDensity(z) / fraction;
}

/**
 * The z with P(Z <= z) = p, 0 < p < 1, to the last digits. Abramowitz and Stegun 26.2.23 (within 4.5e-4), then Halley's iteration on
 * normalCdf, which triples the digits each time.
 */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p === 0.5) return 0;
  const t = Math.sqrt(-2 * Math.log(p));
  let z = -t + (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 3; step++) {
    const newton = (normalCdf(z) - p) / normalDensity(z);
    z -= newton / (1 + 0.5 * z * newton);
  }
  return z;
}

/** One standard normal value by Box and Muller; `random` is uniform in [0, 1) and is asked twice. */
export function gaussian(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

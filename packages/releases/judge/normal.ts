const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

/** The density of the standard normal distribution. */
export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / ROOT_TWO_PI;
}

/**
 * The chance that a standard normal variable exceeds `z`, to 1e-12 of itself down to 1e-300: the series of Abramowitz and Stegun
 * 26.2.11 near the middle, the continued fraction 26.2.14 in the tail, where 1 - Phi has no digits left.
 */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  return z < 2.5 ? 0.5 - normalDensity(z) * middleSeries(z) : normalDensity(z) / tailFraction(z);
}

function middleSeries(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; term > sum * 1e-17; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return sum;
}

function tailFraction(z: number): number {
  const terms = z > 6 ? 30 : 120;
  let rest = z;
  for (let k = terms; k >= 1; k--) rest = z + k / rest;
  return rest;
}

/** The z that is exceeded with chance `tail`, for tails of 1e-300 to 1 - 1e-16. */
export function normalQuantile(tail: number): number {
  if (tail > 0.5) return -normalQuantile(1 - tail);
  let low = 0;
  let high = 38;
  for (let i = 0; i < 70; i++) {
    const middle = (low + high) / 2;
    if (normalTail(middle) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

import { normalTail } from './normal.ts';

/** Lanczos' approximation of ln gamma for x > 0 (g = 7, 9 terms), to 1e-13. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const t = x + 6.5;
  const sum = lanczos.reduce((total, coefficient, i) => total + coefficient / (x + i), LANCZOS_FIRST);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS_FIRST = 0.999_999_999_999_809_9;
const lanczos = [
  676.520_368_121_885_1, -1_259.139_216_722_402_8, 771.323_428_777_653_1, -176.615_029_162_140_6, 12.507_343_278_686_905,
  -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7,
];

/**
 * The chance that Student's t of `dof` degrees of freedom (any real number above 0) exceeds `t`: half the regularised incomplete
 * beta function I_x(dof/2, 1/2) at x = dof/(dof + t^2), by its continued fraction (Press et al., Numerical Recipes, 6.4).
 */
export function studentTail(t: number, dof: number): number {
  if (t < 0) return 1 - studentTail(-t, dof);
  if (!Number.isFinite(dof)) return normalTail(t);
  return incompleteBeta(dof / 2, 0.5, dof / (dof + t * t), (t * t) / (dof + t * t)) / 2;
}

function incompleteBeta(a: number, b: number, x: number, rest: number): number {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(rest));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(a, b, x)) / a : 1 - (front * betaFraction(b, a, rest)) / b;
}

/** Lentz's evaluation of the continued fraction of the incomplete beta function. */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return result;
}

/** The density of Student's t. */
function studentDensity(t: number, dof: number): number {
  const front = Math.exp(logGamma((dof + 1) / 2) - logGamma(dof / 2)) / Math.sqrt(dof * Math.PI);
  return front * (1 + (t * t) / dof) ** (-(dof + 1) / 2);
}

const MOST = 1e12;

/**
 * The t that is exceeded as seldom as a normal variable exceeds `z` >= 0: a boundary for an estimated variance. Newton's method on the
 * logarithms of both, in which the tail is concave. Infinite past 1e12.
 */
export function studentEquivalent(z: number, dof: number): number {
  const tail = normalTail(z);
  if (tail === 0 || studentTail(MOST, dof) > tail) return Number.POSITIVE_INFINITY;
  let t = Math.max(z, 0.1);
  for (let round = 0; round < 50; round++) {
    const at = studentTail(t, dof);
    const move = (Math.log(at / tail) * at) / (t * studentDensity(t, dof));
    t = Math.min(MOST, t * Math.exp(Math.min(5, move)));
    if (Math.abs(move) < 1e-11) break;
  }
  return t;
}

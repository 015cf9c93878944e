const MAX_STEPS = 1_000;
const TOLERANCE = 1e-4;

/** An end of a bracket, and the function's value there. */
export interface BracketEnd {
  readonly at: number;
  readonly value: number;
}

/**
 * A root of `f` between two ends, to about 1e-4: Brent's method in the variant of R's zeroin (Brent 1973, chapter 4), followed step for
 * step, because on a staircase the last digits depend on which points are looked at. An end whose value is 0 is returned at once; where
 * the ends do not differ in sign, or after 1,000 steps, the last point looked at is.
 */
export function findRoot(f: (at: number) => number, low: BracketEnd, high: BracketEnd): number {
  if (low.value === 0) return low.at;
  if (high.value === 0) return high.at;
  let [previous, best, opposite] = [low, high, low];
  for (let step = 0; step <= MAX_STEPS; step++) {
    const lastStep = best.at - previous.at;
    if (Math.abs(opposite.value) < Math.abs(best.value)) [previous, best, opposite] = [best, opposite, best];
    const least = 2 * Number.EPSILON * Math.abs(best.at) + TOLERANCE / 2;
    const half = (opposite.at - best.at) / 2;
    if (Math.abs(half) <= least || best.value === 0) return best.at;
    const isPromising = Math.abs(lastStep) >= least && Math.abs(previous.value) > Math.abs(best.value);
    const wanted = isPromising ? interpolate(previous, best, opposite, lastStep, least) : undefined;
    const chosen = wanted ?? half;
    const moved = Math.abs(chosen) < least ? (chosen > 0 ? least : -least) : chosen;
    const at = best.at + moved;
    const next = { at, value: f(at) };
    previous = best;
    best = next;
    if ((next.value > 0 && opposite.value > 0) || (next.value < 0 && opposite.value < 0)) opposite = previous;
  }
  return best.at;
}

/** The step that a line, or an inverse parabola, through the points asks for; undefined where it leaves the bracket or is no better than halving. */
function interpolate(a: BracketEnd, b: BracketEnd, c: BracketEnd, lastStep: number, least: number): number | undefined {
  const width = c.at - b.at;
  let p: number;
  let q: number;
  if (a.at === c.at) {
    const slope = b.value / a.value;
    p = width * slope;
    q = 1 - slope;
  } else {
    const [r, s, t] = [a.value / c.value, b.value / c.value, b.value / a.value];
    p = t * (width * r * (r - s) - (b.at - a.at) * (s - 1));
    q = (r - 1) * (s - 1) * (t - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  return p < 0.75 * width * q - Math.abs(least * q) / 2 && p < Math.abs((lastStep * q) / 2) ? p / q : undefined;
}

import { legendreRule } from './legendre.ts';
import { normalDensity, normalQuantile, normalTail } from './normal.ts';

/** How the allowed chance of a false alarm is spread over the looks. */
export type Spending = 'power' | 'obrien-fleming' | 'pocock';

/** O'Brien and Fleming's boundaries are nearest at 3; a little less finds an effect of .2 sigma, and gross harm, sooner at the same power. */
const POWER = 2.75;

/**
 * What of `alpha` (one side) may be spent by the time the share `information` of all planned information is in: Lan and DeMets
 * (Biometrika 70, 1983). O'Brien-Fleming's kind, 2(1 - Phi(z_{alpha/2} / sqrt t)), spends nothing that counts early; Pocock's,
 * alpha ln(1 + (e - 1) t), about the same at each look. The power family, alpha t^rho (Kim and DeMets, Biometrika 74, 1987), lies between.
 */
export function spentAlpha(spending: Spending, alpha: number, information: number): number {
  const t = Math.min(1, Math.max(0, information));
  if (t === 0) return 0;
  if (spending === 'power') return alpha * t ** POWER;
  if (spending === 'pocock') return alpha * Math.log(1 + (Math.E - 1) * t);
  return Math.min(alpha, 2 * normalTail(normalQuantile(alpha / 2) / Math.sqrt(t)));
}

/** A look that was taken: the information then, and the boundary as a normal quantile. */
export interface TakenLook {
  readonly information: number;
  readonly boundary: number;
}

export interface BoundaryInput {
  /** Earlier looks, ascending. One left out makes the boundary wider, never narrower. */
  readonly taken: readonly TakenLook[];
  readonly information: number;
  /** The chance (one side) of crossing at this look and not at those taken. */
  readonly spend: number;
}

/** Less than this is not worth a look; what is not spent is there for the next. */
export const LEAST_SPEND = 1e-15;

/**
 * The normal quantile that the standardised statistic crosses at this look with chance `spend`, under no effect, having crossed
 * at none of the looks taken. The statistic times sqrt(information) is a Brownian motion at the looks' information, so its density inside the
 * boundaries is carried from look to look by integration (Armitage, McPherson and Rowe 1969; Jennison and Turnbull 2000, chapter 19),
 * here with Gauss and Legendre's nodes. Boundaries are symmetric; an alarm on one side alone is bounded by the same integral but for the
 * chance of having crossed the other before, which is below 1e-4 for an alpha of 5 %. Infinite where nothing is to be spent.
 */
export function nextBoundary({ taken, information, spend }: BoundaryInput): number {
  if (!(spend >= LEAST_SPEND)) return Number.POSITIVE_INFINITY;
  const last = taken.at(-1);
  if (last === undefined) return normalQuantile(spend);
  const inside = carryDensity(taken, leastStep(taken, information));
  const edge = solveExit(inside, information - last.information, spend);
  return edge / Math.sqrt(information);
}

/** The density inside the last boundary, as weighted points: the sum of `weights` is the chance of still being inside. */
interface Inside {
  readonly points: Float64Array;
  readonly weights: Float64Array;
}

function leastStep(taken: readonly TakenLook[], information: number): number {
  const times = [...taken.map((look) => look.information), information];
  return Math.min(...times.map((time, i) => time - (times[i - 1] ?? 0)));
}

const MOST_NODES = 512;

/** As many nodes as keep their distance near the deviation of the shortest step: the rule then errs below 1e-8. */
function countNodes(step: number, halfWidth: number): number {
  return Math.min(MOST_NODES, 16 * Math.ceil((16 + (3.75 * halfWidth) / Math.sqrt(step)) / 16));
}

function carryDensity(taken: readonly TakenLook[], step: number): Inside {
  const edges = taken.map(({ information, boundary }) => boundary * Math.sqrt(information));
  const { nodes, weights } = legendreRule(countNodes(step, Math.max(...edges)));
  let inside: Inside = { points: new Float64Array([0]), weights: new Float64Array([1]) };
  taken.forEach(({ information }, look) => {
    const edge = edges[look] as number;
    const deviation = Math.sqrt(information - (taken[look - 1]?.information ?? 0));
    const points = nodes.map((node) => node * edge);
    inside = { points, weights: points.map((point, i) => (weights[i] as number) * edge * densityAt(inside, point, deviation)) };
  });
  return inside;
}

/** Past this many deviations a normal density adds nothing that shows. */
const FAR = 9;

function densityAt({ points, weights }: Inside, at: number, deviation: number): number {
  let sum = 0;
  for (let i = 0; i < points.length; i++) {
    const away = (at - (points[i] as number)) / deviation;
    if (away < FAR && away > -FAR) sum += (weights[i] as number) * Math.exp((-away * away) / 2);
  }
  return sum / (deviation * Math.sqrt(2 * Math.PI));
}

/** The edge past which the motion is after a further `step` with chance `spend`: Newton's method on the logarithm, which is concave. */
function solveExit({ points, weights }: Inside, step: number, spend: number): number {
  const deviation = Math.sqrt(step);
  let edge = points.at(-1) as number;
  for (let round = 0; round < 60; round++) {
    let chance = 0;
    let slope = 0;
    for (let i = 0; i < points.length; i++) {
      const away = (edge - (points[i] as number)) / deviation;
      chance += (weights[i] as number) * normalTail(away);
      slope += ((weights[i] as number) * normalDensity(away)) / deviation;
    }
    const move = (Math.log(chance / spend) * chance) / slope;
    edge += move;
    if (Math.abs(move) < 1e-10) break;
  }
  return edge;
}

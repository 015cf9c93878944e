import type { Observation } from './observe.ts';
import type { DetectorParameters } from './parameters.ts';
import { excessOf, limitsOf } from './range.ts';
import { type DetectorState, type FeatureName, featureNames } from './state.ts';

/** How far an observation stands out, by feature and as a flat line; 1 is what a new record does on average. */
export type Excesses = Readonly<Record<FeatureName | 'flat', number>>;

const DAY_MS = 86_400_000;

/** Weighs an observation against what the state remembers. */
export function weighExcesses(state: DetectorState, seen: Observation, parameters: DetectorParameters): Excesses {
  const excesses = { value: 0, jump: 0, season: 0, level: 0, motion: 0, flat: flatExcess(state, parameters) };
  for (const name of featureNames) {
    if (name === 'season' && !isSeasonKnown(state, seen.tsMs)) continue;
    excesses[name] = weightOf(name, parameters) * excessOf(state.ranges[name], seen.features[name], seen.floor, parameters);
  }
  return excesses;
}

function weightOf(name: FeatureName, { minorWeight }: DetectorParameters): number {
  return name === 'jump' || name === 'motion' ? minorWeight : 1;
}

/** Differences from the season vary by the hour, so that a whole day of them is needed. */
function isSeasonKnown({ seasonSinceMs }: DetectorState, tsMs: number): boolean {
  return tsMs - seasonSinceMs >= DAY_MS;
}

function flatExcess({ recent, still, stillShare }: DetectorState, parameters: DetectorParameters): number {
  if (still < parameters.flatSamples || recent.count <= parameters.warmupSamples || stillShare >= parameters.stillShare) return 0;
  return still / parameters.flatSamples;
}

/** What value, jump and season allow of a sample, together; NaN before anything is known. Outside, the excess is 1 or more. */
export function bandOf(state: DetectorState, seen: Observation, parameters: DetectorParameters): { low: number; high: number } {
  const limits = (name: FeatureName) => limitsOf(state.ranges[name], weightOf(name, parameters), seen.floor, parameters);
  let { low, high } = limits('value');
  if (low === Number.NEGATIVE_INFINITY) return { low: Number.NaN, high: Number.NaN };
  if (!Number.isNaN(seen.forecast)) {
    const jump = limits('jump');
    [low, high] = [Math.max(low, seen.forecast + jump.low), Math.min(high, seen.forecast + jump.high)];
  }
  if (seen.usual !== undefined && isSeasonKnown(state, seen.tsMs)) {
    const { value } = seen.usual;
    const before = seen.differenceBefore;
    const season = limits('season');
    const unsmooth = (limit: number) => value + (Number.isNaN(before) ? limit : before + (limit - before) / parameters.seasonSmoothing);
    [low, high] = [Math.max(low, unsmooth(season.low)), Math.min(high, unsmooth(season.high))];
  }
  return low <= high ? { low, high } : { low: (low + high) / 2, high: (low + high) / 2 };
}

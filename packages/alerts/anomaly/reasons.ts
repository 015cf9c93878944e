import type { Excesses } from './judge.ts';
import type { Observation } from './observe.ts';
import type { DetectorParameters } from './parameters.ts';
import type { Range } from './range.ts';
import type { DetectorState } from './state.ts';

/** Why a sample stands out, for programs. */
export const reasonCodes = ['new-extreme', 'spike', 'seasonal', 'level-shift', 'distribution-change', 'flat-line', 'missing-data'] as const;
export type ReasonCode = (typeof reasonCodes)[number];

/** Why a sample stands out, for programs and for people. */
export interface Reason {
  readonly code: ReasonCode;
  readonly text: string;
}

/** What it is called when a feature, or a flat line, stands out. */
const codeOf: Readonly<Record<keyof Excesses, ReasonCode>> = {
  value: 'new-extreme',
  jump: 'spike',
  season: 'seasonal',
  level: 'level-shift',
  motion: 'distribution-change',
  flat: 'flat-line',
};

type Explain = (state: DetectorState, seen: Observation, parameters: DetectorParameters) => string;

const explain: Readonly<Record<keyof Excesses, Explain>> = {
  value: ({ ranges: { value } }, seen) =>
    `${show(seen.value)} is ${seen.value > value.high ? 'above' : 'below'} all that is remembered (${span(value)})`,
  jump: ({ ranges: { jump } }, seen) =>
    `${show(seen.value)} is ${show(Math.abs(seen.features.jump))} off the ${show(seen.forecast)} that the samples before suggest (so far up to ${show(jump.high)})`,
  season: ({ ranges: { season } }, seen) =>
    `${show(seen.value)} where ${show(seen.usual?.value ?? Number.NaN)} is usual at this hour of the ${seen.usual?.by} (smoothed difference ${show(seen.features.season)}, so far ${span(season)})`,
  level: ({ ranges: { level } }, seen, { windowSamples }) =>
    `the mean of the last ${windowSamples} samples is ${show(seen.levelBefore + seen.features.level)} after ${show(seen.levelBefore)} (changes so far ${span(level)})`,
  motion: ({ ranges: { motion } }, seen, { windowSamples }) =>
    `it moves ${seen.features.motion > motion.high ? 'more' : 'less'} than before: by ${show(seen.features.motion)} a sample over the last ${windowSamples} (so far ${span(motion)})`,
  flat: ({ still, stillShare }, seen) =>
    `${show(seen.value)} for ${still + 1} samples, in a series where ${show(100 * stillShare)} % repeat the one before`,
};

/** The reasons of all that stands out, strongest first. */
export function findReasons(state: DetectorState, seen: Observation, excesses: Excesses, parameters: DetectorParameters): Reason[] {
  const names = (Object.keys(excesses) as (keyof Excesses)[]).filter((name) => excesses[name] >= 1);
  return names
    .sort((a, b) => excesses[b] - excesses[a])
    .map((name) => ({ code: codeOf[name], text: explain[name](state, seen, parameters) }));
}

/** The excesses of the reasons that count; the others are 0. */
export function countExcesses(excesses: Excesses, counted: ReadonlySet<ReasonCode>): Excesses {
  const count = (name: keyof Excesses) => (counted.has(codeOf[name]) ? excesses[name] : 0);
  return {
    value: count('value'),
    jump: count('jump'),
    season: count('season'),
    level: count('level'),
    motion: count('motion'),
    flat: count('flat'),
  };
}

/** The reason of an infinite sample. */
export function infiniteReason(value: number, { low, high }: Range): Reason {
  return { code: 'new-extreme', text: `it is ${value > 0 ? '+Inf' : '-Inf'} (all that is remembered: ${span({ low, high })})` };
}

/** The reason of samples that are missing since a time. */
export function missingReason(sinceMs: number): Reason {
  return { code: 'missing-data', text: `no sample since one was due at ${new Date(sinceMs).toISOString()}` };
}

const show = (value: number): string => String(Number(value.toPrecision(4)));
const span = ({ low, high }: { low: number; high: number }): string => `${show(low)} to ${show(high)}`;

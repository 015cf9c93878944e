import type { Layout } from './contrast.ts';
import type { Arm } from './scores.ts';

/** What was measured of one arm at each step; NaN where nothing was. */
export interface MeasuredArm {
  readonly values: Float64Array;
  readonly totals?: Float64Array | undefined;
}

export interface AlignInput {
  readonly layout: Layout;
  readonly canary: MeasuredArm;
  readonly baselines: readonly MeasuredArm[];
  /** What a step without a value is: left out, or 0. */
  readonly missing: 'drop' | 'zero';
}

/** Arms that can be compared, or which of them has nothing to compare. */
export interface Aligned {
  readonly canary: Arm;
  readonly baselines: readonly Arm[];
  /** Steps at which one arm has a value and it does not count, since another has none or it is no number. */
  readonly dropped: number;
  readonly lacking?: 'canary' | 'baseline' | 'both' | undefined;
}

/**
 * Leaves the steps at which there is something to compare. NaN and infinities are no values. A ratio's step counts where its total is a
 * number of 0 or more; no value beside it is 0. With `zero` other steps without a value are 0, but never those of a canary without any
 * value at all: a canary that tells nothing is not one that does well.
 */
export function alignArms({ layout, canary, baselines, missing }: AlignInput): Aligned {
  const measured = cleanArm(canary);
  const isFilled = missing === 'zero' && measured.known > 0;
  const clean = isFilled ? fillArm(measured) : measured;
  const others = baselines.map((arm) => (isFilled ? fillArm(cleanArm(arm)) : cleanArm(arm)));
  const used = layout === 'weeks' ? keepFullWeeks(clean, others) : others;
  const shared = layout === 'apart' ? undefined : used.reduce((known, arm) => both(known, arm.isKnown), clean.isKnown);
  const kept = pick(clean, shared ?? clean.isKnown);
  const keptBaselines = used.map((arm) => pick(arm, shared ?? arm.isKnown));
  const lacking = findLacking(clean, layout === 'weeks' && used.length < 2 ? [] : used, isEmpty(kept) || keptBaselines.some(isEmpty));
  return { canary: kept, baselines: keptBaselines, dropped: clean.values.length - kept.values.length, lacking };
}

interface CleanArm {
  readonly values: Float64Array;
  readonly totals: Float64Array | undefined;
  /** 1 where the step has a value. */
  readonly isKnown: Uint8Array;
  readonly known: number;
}

function cleanArm({ values, totals }: MeasuredArm): CleanArm {
  const isKnown = new Uint8Array(values.length);
  const clean = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const total = totals?.[i];
    if (Number.isFinite(value)) clean[i] = value;
    if (total === undefined ? Number.isFinite(value) : Number.isFinite(total) && total >= 0) isKnown[i] = 1;
  }
  return { values: clean, totals, isKnown, known: count(isKnown) };
}

/** A ratio has nothing to fill: its step counts where its total is known. */
function fillArm(arm: CleanArm): CleanArm {
  return arm.totals ? arm : { ...arm, isKnown: arm.isKnown.slice().fill(1), known: arm.values.length };
}

function count(isKnown: Uint8Array): number {
  let sum = 0;
  for (const is of isKnown) sum += is;
  return sum;
}

function both(one: Uint8Array, other: Uint8Array): Uint8Array {
  const shared = new Uint8Array(one.length);
  for (let i = 0; i < one.length; i++) shared[i] = (one[i] as number) & (other[i] as number);
  return shared;
}

function pick({ values, totals }: CleanArm, isKept: Uint8Array): Arm {
  const size = count(isKept);
  return { values: pickValues(values, isKept, size), totals: totals && pickValues(totals, isKept, size) };
}

function pickValues(values: Float64Array, isKept: Uint8Array, size: number): Float64Array {
  if (size === values.length) return values;
  const kept = new Float64Array(size);
  let at = 0;
  for (let i = 0; i < values.length; i++) if (isKept[i] === 1) kept[at++] = values[i] as number;
  return kept;
}

/** Weeks that have values at half of the canary's steps; the others would leave too few steps in common. */
function keepFullWeeks(canary: CleanArm, weeks: readonly CleanArm[]): readonly CleanArm[] {
  return weeks.filter((week) => 2 * count(both(week.isKnown, canary.isKnown)) >= canary.known);
}

function isEmpty({ values, totals }: Arm): boolean {
  return values.length === 0 || (totals !== undefined && !totals.some((total) => total > 0));
}

function findLacking(canary: CleanArm, baselines: readonly CleanArm[], isNothingLeft: boolean): Aligned['lacking'] {
  const hasAny = (arm: CleanArm) => !isEmpty(pick(arm, arm.isKnown));
  const hasBaseline = baselines.length > 0 && baselines.every(hasAny);
  if (!hasAny(canary)) return hasBaseline ? 'canary' : 'both';
  if (!hasBaseline) return 'baseline';
  return isNothingLeft ? 'both' : undefined;
}

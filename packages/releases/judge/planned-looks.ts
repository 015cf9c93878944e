import { createCache } from '#core/bounded-cache.ts';
import { LEAST_SPEND, nextBoundary, type Spending, spentAlpha, type TakenLook } from './boundary.ts';

/** What one side of a test may spend, and how. */
export interface SpendingPlan {
  readonly alpha: number;
  readonly spending: Spending;
}

/** What is kept of the looks of one test; numbers are whole, so that it is small as JSON and the same after reading it back. */
export interface LookState {
  /** Information in 1/100,000 and boundary in 1/10,000, in turn. */
  readonly taken: readonly number[];
  /** Information at the last look that spent something. */
  readonly tested: number;
}

export interface PlannedLook {
  /** The normal quantile to cross; infinite where this look spends nothing. */
  readonly boundary: number;
  readonly alphaSpent: number;
  readonly state: LookState;
}

export const noLooks: LookState = { taken: [], tested: 0 };

const INFORMATION_UNIT = 1e5;
const BOUNDARY_UNIT = 1e4;
/** Less new information than this waits for the next look, which bounds the state and the work: no more than 64 looks are tests. */
const LEAST_ADVANCE = INFORMATION_UNIT / 64;
/** The last look is one unless it is hardly more than the one before. */
const LEAST_LAST_ADVANCE = INFORMATION_UNIT / 256;

/** The boundary at `information` (share of what is planned, 0 to 1) after the looks before; at 1 all that is left is spent. */
export function takePlannedLook({ alpha, spending }: SpendingPlan, state: LookState, information: number): PlannedLook {
  const at = Math.floor(Math.min(1, information) * INFORMATION_UNIT);
  const before = spentAlpha(spending, alpha, state.tested / INFORMATION_UNIT);
  const spend = spentAlpha(spending, alpha, at / INFORMATION_UNIT) - before;
  const least = at === INFORMATION_UNIT ? LEAST_LAST_ADVANCE : LEAST_ADVANCE;
  if (at - state.tested < least || spend < LEAST_SPEND) return { boundary: Number.POSITIVE_INFINITY, alphaSpent: before, state };
  const steps = boundaryAt(state.taken, at, spend);
  return { boundary: steps / BOUNDARY_UNIT, alphaSpent: before + spend, state: { taken: [...state.taken, at, steps], tested: at } };
}

/** Metrics of one analysis, and analyses of one plan, look at the same times: their integrals are the same. */
const known = createCache<number>({ maxEntries: 2_000, maxWeight: 2_000_000 });

/** Rounded up, so that what is kept is what was used. */
function boundaryAt(taken: readonly number[], at: number, spend: number): number {
  const key = `${taken.join(' ')} ${at} ${spend}`;
  const kept = known.get(key);
  if (kept !== undefined) return kept;
  const boundary = nextBoundary({ taken: readTaken(taken), information: at / INFORMATION_UNIT, spend });
  const steps = Math.ceil(boundary * BOUNDARY_UNIT);
  known.set(key, steps, key.length);
  return steps;
}

function readTaken(taken: readonly number[]): readonly TakenLook[] {
  const looks: TakenLook[] = [];
  for (let i = 0; i + 1 < taken.length; i += 2)
    looks.push({ information: (taken[i] as number) / INFORMATION_UNIT, boundary: (taken[i + 1] as number) / BOUNDARY_UNIT });
  return looks;
}

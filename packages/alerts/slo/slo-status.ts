import { type AlertWindows, listWindows } from './alert-windows.ts';
import { errorBudgetRatio, sliMetric, sloSelector } from './generate-slo-rules.ts';
import type { Slo } from './slo.ts';

/** What is asked to tell how an SLO stands: error ratios as its rules record them. */
export interface SloQueries {
  readonly currentErrorRatio: string;
  readonly periodErrorRatio: string;
}

/** The results of `sloQueries`; undefined for one that gave nothing. */
export interface SloResults {
  readonly currentErrorRatio: number | undefined;
  readonly periodErrorRatio: number | undefined;
}

/** How an SLO stands. What rests on a result that is not there is undefined. */
export interface SloStatus {
  /** Share of good events that is promised: 0.999. */
  readonly objective: number;
  /** Share of bad events that is allowed. */
  readonly errorBudget: number;
  readonly periodMs: number;
  /** How many times faster than sustainable the budget burns now; 1 spends it exactly in a period. */
  readonly currentBurnRate: number | undefined;
  readonly periodBurnRate: number | undefined;
  /** Share of the period's budget that is left; below 0 once the objective is missed. */
  readonly budgetRemaining: number | undefined;
  /** How long what is left lasts at the current rate: 0 when there is nothing left, Infinity while nothing burns. */
  readonly exhaustedInMs: number | undefined;
}

/** The expressions whose values `sloStatus` takes; the current ratio is that of the shortest window. */
export function sloQueries(slo: Slo, windows: AlertWindows): SloQueries {
  const ratio = (windowMs: number) => `max(${sliMetric(windowMs)}${sloSelector(slo)})`;
  return { currentErrorRatio: ratio(listWindows(windows)[0] as number), periodErrorRatio: ratio(windows.periodMs) };
}

/**
 * Burn rate = error ratio / error budget, and budget left = 1 - burn rate over the period, as Sloth's metadata recordings have them. A burn
 * rate of 1 spends a whole budget in one period (SRE Workbook, chapter 5), so that what is left lasts left x period / burn rate; the
 * errors that leave the rolling period meanwhile are not counted back in. With an objective of 100 any error burns infinitely fast.
 */
export function sloStatus(slo: Slo, windows: AlertWindows, results: SloResults): SloStatus {
  const errorBudget = errorBudgetRatio(slo);
  const currentBurnRate = burnRate(results.currentErrorRatio, errorBudget);
  const periodBurnRate = burnRate(results.periodErrorRatio, errorBudget);
  const budgetRemaining = periodBurnRate === undefined ? undefined : 1 - periodBurnRate;
  return {
    objective: 1 - errorBudget,
    errorBudget,
    periodMs: windows.periodMs,
    currentBurnRate,
    periodBurnRate,
    budgetRemaining,
    exhaustedInMs: exhaustedIn(budgetRemaining, currentBurnRate, windows.periodMs),
  };
}

function burnRate(errorRatio: number | undefined, errorBudget: number): number | undefined {
  if (errorRatio === undefined || Number.isNaN(errorRatio)) return undefined;
  return errorRatio === 0 ? 0 : errorRatio / errorBudget;
}

function exhaustedIn(remaining: number | undefined, rate: number | undefined, periodMs: number): number | undefined {
  if (remaining === undefined || rate === undefined) return undefined;
  if (remaining <= 0) return 0;
  return rate <= 0 ? Number.POSITIVE_INFINITY : (remaining * periodMs) / rate;
}

/** Pass: as good as it has to be. Fail: worse. Continue: look again. Inconclusive: no more looks are left, or there is nothing to judge. */
export type Verdict = 'pass' | 'fail' | 'continue' | 'inconclusive';

/** What was judged of one metric. Numbers that are not known are absent. */
export interface MetricJudgement {
  readonly name: string;
  readonly verdict: Verdict;
  /** What decided, in the field's terms: `no data`, `too little data`, `boundary crossed`, `limit exceeded`, ... */
  readonly reason: string;
  /** One sentence for a person, with the numbers in it. */
  readonly sentence: string;
  /** By their names: estimate, lower, upper, statistic, boundary, effectiveSamples, alphaSpent, baseline, canary, ... */
  readonly numbers: Readonly<Record<string, number>>;
}

/** The outcome of one look at a release, over all of its metrics. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly sentence: string;
  /** Which look this was, from 1. */
  readonly look: number;
  /** How many looks are planned, where that is known. */
  readonly looks?: number | undefined;
  readonly metrics: readonly MetricJudgement[];
}

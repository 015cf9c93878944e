import type { Judgement, Verdict } from '#model/judgement.ts';

/** What is kept and answered of a judgement. */
export interface LookSummary {
  readonly verdict: Verdict;
  readonly sentence: string;
  readonly look: number;
  readonly looks?: number | undefined;
  /** The metric that decided, where there is one, and its numbers: finite ones only. */
  readonly metric?: string | undefined;
  readonly numbers: Readonly<Record<string, number>>;
}

const MAX_SENTENCE = 2_000;
const MAX_NUMBERS = 64;

/** A judgement in short: a metric of the verdict that came out stands for the rest. */
export function summarizeJudgement({ verdict, sentence, look, looks, metrics }: Judgement): LookSummary {
  const decisive = metrics.find((metric) => metric.verdict === verdict) ?? metrics[0];
  const numbers = Object.entries(decisive?.numbers ?? {}).filter(([, value]) => Number.isFinite(value));
  return {
    ...{ verdict, sentence: sentence.slice(0, MAX_SENTENCE), look, looks },
    metric: decisive?.name.slice(0, 400),
    numbers: Object.fromEntries(numbers.slice(0, MAX_NUMBERS)),
  };
}

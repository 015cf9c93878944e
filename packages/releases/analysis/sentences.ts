import type { Verdict } from '#model/judgement.ts';
import type { Counts, LimitsOutcome } from '#releases/judge/limits.ts';
import type { TestOutcome, TestPlan } from '#releases/judge/sequential-test.ts';

/** A number as a person reads it: three digits that count. */
function writeNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(3)));
}

/** One sentence about one metric's test. */
export function describeTest(plan: TestPlan, outcome: TestOutcome): string {
  const { contrast, statistic, boundary, samples, lacking } = outcome;
  if (!contrast || statistic === undefined) return describeLack(plan, samples, lacking);
  const level = `The canary has ${writeNumber(contrast.canary)}, its baseline ${writeNumber(contrast.baseline)}`;
  const evidence = `t = ${writeNumber(statistic)}${boundary !== undefined && Number.isFinite(boundary) ? `, boundary ${writeNumber(boundary)}` : ''}`;
  return `${level}: ${describeReason(plan, outcome)} (${evidence}, ${samples} samples that say as much as ${writeNumber(contrast.effectiveSamples)}).`;
}

function describeReason({ goal, margin }: TestPlan, { reason, verdict }: TestOutcome): string {
  const isMargin = margin.relative !== 0 || margin.absolute !== 0;
  switch (reason) {
    case 'boundary crossed':
      return isMargin ? 'worse by more than the margin, beyond chance' : 'worse, beyond chance';
    case 'within margin':
      return isMargin ? 'not worse by more than the margin' : 'not worse';
    case 'better':
      return 'better, beyond chance';
    case 'no sign of harm':
      return 'no sign of harm at the last look';
    case 'not shown':
      return `the last look has not shown that it is ${goal === 'superiority' ? 'better' : 'good enough'}, nor that it is worse`;
    case 'too little data':
      return 'too little data for a pass at the last look';
    default:
      return verdict === 'continue' ? 'not decided yet' : reason;
  }
}

function describeLack({ minSamples, consecutiveErrorLimit }: TestPlan, samples: number, lacking: TestOutcome['lacking']): string {
  if (lacking === 'both') return 'Neither the canary nor its baseline has data to compare.';
  if (lacking) return `The ${lacking} has no data.`;
  if (samples < minSamples) return `There are ${samples} samples to compare; judging takes ${minSamples}.`;
  return `No new sample came for more than ${consecutiveErrorLimit} looks; there are ${samples}.`;
}

/** One sentence about one threshold. */
export function describeCounts(counts: Counts, value: number | undefined, outcome: LimitsOutcome): string {
  const last = value === undefined ? 'There is no value yet' : `The last value is ${writeNumber(value)}`;
  const { successful, failed, inconclusive, error } = counts;
  const told = `${successful} successful, ${failed} failed, ${inconclusive} inconclusive, ${error} without a value`;
  return `${last}; measurements: ${told}${outcome === undefined ? ' so far' : ''}.`;
}

/** One sentence about all metrics. */
export function describeVerdict(
  verdict: Verdict,
  names: readonly string[],
  { look, looks }: { look: number; looks?: number | undefined },
): string {
  const at = looks === undefined ? `look ${look}` : `look ${Math.min(look, looks)} of ${looks}`;
  const list = names.join(', ');
  switch (verdict) {
    case 'fail':
      return `The canary fails at ${at} by ${list}.`;
    case 'inconclusive':
      return `The analysis cannot tell at ${at}, because of ${list}.`;
    case 'continue':
      return `Not decided at ${at}: ${list}.`;
    case 'pass':
      return `The canary passes at ${at}: ${list}.`;
  }
}

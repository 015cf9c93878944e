import { quoteGo } from '#alerts/go-quote.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';
import { isValidLabelName } from './labels.ts';
import { indexMatchers } from './matcher-index.ts';
import { compileMatchers, compileRegex } from './matchers.ts';
import type { MatcherMode } from './parse-matchers.ts';

/** Alerts that match are held back from its start until its end. Its history is never rewritten: see setSilence. */
export interface Silence {
  readonly id: string;
  /** It matches where all matchers of at least one set do. */
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations?: LabelSet | undefined;
}

export type SilenceState = 'pending' | 'active' | 'expired';

/** Its state: active while start <= now < end. */
export function silenceState({ startsAtMs, endsAtMs }: Pick<Silence, 'startsAtMs' | 'endsAtMs'>, nowMs: number): SilenceState {
  if (nowMs < startsAtMs) return 'pending';
  return nowMs < endsAtMs ? 'active' : 'expired';
}

/** The test of a label set against a silence, whatever the time. */
export function compileSilence({ matcherSets }: Pick<Silence, 'matcherSets'>): (labels: LabelSet) => boolean {
  const tests = matcherSets.map(compileMatchers);
  return (labels) => tests.some((test) => test(labels));
}

/** Ids of the silences that are active at `nowMs` and match; compiled and indexed once for many label sets. */
export function createSilencer(silences: Iterable<Silence>, nowMs: number): (labels: LabelSet) => string[] {
  const active = [...silences].filter((silence) => silenceState(silence, nowMs) === 'active');
  const sets = active.flatMap(({ id, matcherSets }) =>
    matcherSets.map((matchers) => ({ id, matchers, matches: compileMatchers(matchers) })),
  );
  const candidates = indexMatchers(sets.map(({ matchers }) => matchers));
  return (labels) => {
    const ids = new Set<string>();
    for (const place of candidates(labels)) {
      const { id, matches } = sets[place] as (typeof sets)[number];
      if (!ids.has(id) && matches(labels)) ids.add(id);
    }
    return [...ids];
  };
}

/** Throws `input` in Alertmanager's words for a silence that it would not take; times that are not above 0 are not set. */
export function validateSilence(
  silence: Omit<Silence, 'id' | 'updatedAtMs' | 'createdBy' | 'comment'>,
  mode: MatcherMode = 'fallback',
): void {
  if (silence.matcherSets.length === 0) throw refuse('at least one matcher set required');
  for (const [set, matchers] of silence.matcherSets.entries()) {
    if (matchers.length === 0) throw refuse(`matcher set ${set} is empty`);
    for (const [i, matcher] of matchers.entries()) {
      const fault = findMatcherFault(matcher, mode);
      if (fault) throw refuse(`invalid label matcher ${i} in set ${set}: ${fault}`);
    }
    if (matchers.every(acceptsEmpty)) throw refuse(`matcher set ${set}: at least one matcher must not match the empty string`);
  }
  if (!(silence.startsAtMs > 0)) throw refuse('invalid zero start timestamp');
  if (!(silence.endsAtMs > 0)) throw refuse('invalid zero end timestamp');
  if (silence.endsAtMs < silence.startsAtMs) throw refuse('end time must not be before start time');
}

/** What is wrong with a matcher of a silence, in Alertmanager's words; undefined where nothing is. */
export function findMatcherFault({ name, op, value }: Matcher, mode: MatcherMode = 'fallback'): string | undefined {
  if (!isValidLabelName(name, mode)) return `invalid label name ${quoteGo(name)}`;
  if (op === '=' || op === '!=') return value.isWellFormed() ? undefined : `invalid label value ${quoteGo(value)}`;
  if (op !== '=~' && op !== '!~') return `unknown matcher type ${quoteGo(String(op))}`;
  try {
    compileRegex(value);
    return undefined;
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return `invalid regular expression ${quoteGo(value)}: ${error.message}`;
  }
}

/** Negative matchers never count as matching the empty string here, as in Alertmanager: `a!="b"` alone is a silence. */
function acceptsEmpty(matcher: Matcher): boolean {
  return (matcher.op === '=' || matcher.op === '=~') && compileMatchers([matcher])({});
}

function refuse(message: string): OpsError {
  return new OpsError('input', message);
}

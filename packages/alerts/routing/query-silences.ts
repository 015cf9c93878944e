import { OpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Matcher } from '#model/matcher.ts';
import { compileSilence, type Silence, type SilenceState, silenceState } from './silence.ts';

/** Which silences are asked for; every condition given must hold. */
export interface SilenceQuery {
  /** At least one. */
  readonly ids?: readonly string[] | undefined;
  readonly states?: readonly SilenceState[] | undefined;
  /** Labels that the silence matches. */
  readonly labels?: LabelSet | undefined;
  /** Matchers that one set of the silence has, each written just so. */
  readonly filter?: readonly Matcher[] | undefined;
}

/** The silences asked for, in the order of the ids given or else of the records. `input` where `ids` is empty. */
export function querySilences(silences: ReadonlyMap<string, Silence>, query: SilenceQuery, nowMs: number): Silence[] {
  if (query.ids?.length === 0) throw new OpsError('input', 'QIDs filter must have at least one id');
  const candidates = query.ids ? query.ids.flatMap((id) => silences.get(id) ?? []) : [...silences.values()];
  return candidates.filter(
    (silence) =>
      (query.states?.includes(silenceState(silence, nowMs)) ?? true) &&
      (query.labels === undefined || compileSilence(silence)(query.labels)) &&
      silence.matcherSets.some(
        (matchers) => query.filter?.every((wanted) => matchers.some((matcher) => sameMatcher(matcher, wanted))) ?? true,
      ),
  );
}

function sameMatcher(a: Matcher, b: Matcher): boolean {
  return a.name === b.name && a.op === b.op && a.value === b.value;
}

const stateOrder: Readonly<Record<SilenceState, number>> = { active: 1, pending: 2, expired: 3 };

/** Active ones first, the next to end leading; then pending ones, the next to start leading; then expired ones, the latest leading. */
export function sortSilences(silences: readonly Silence[], nowMs: number): Silence[] {
  return [...silences].sort((a, b) => {
    const state = silenceState(a, nowMs);
    const other = silenceState(b, nowMs);
    if (state !== other) return stateOrder[state] - stateOrder[other];
    if (state === 'active') return a.endsAtMs - b.endsAtMs;
    return state === 'pending' ? a.startsAtMs - b.startsAtMs : b.endsAtMs - a.endsAtMs;
  });
}

/** Ids of the silences that ended at least `retentionMs` ago. */
export function collectSilences(silences: Iterable<Silence>, retentionMs: number, nowMs: number): string[] {
  return [...silences].filter(({ endsAtMs }) => endsAtMs + retentionMs <= nowMs).map(({ id }) => id);
}

/** Both sets as one: of a silence that both have the one updated later; what only `other` has unless its retention has passed. */
export function mergeSilences(
  own: ReadonlyMap<string, Silence>,
  other: Iterable<Silence>,
  retentionMs: number,
  nowMs: number,
): Map<string, Silence> {
  const merged = new Map(own);
  for (const silence of other) {
    if (silence.endsAtMs + retentionMs < nowMs) continue;
    const known = merged.get(silence.id);
    if (!known || known.updatedAtMs < silence.updatedAtMs) merged.set(silence.id, silence);
  }
  return merged;
}

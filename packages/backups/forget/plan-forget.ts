import { formatSpan, PERIODS, type Period, parseSpan, subtractSpan } from './calendar.ts';

const COUNTED = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'] as const;
const WITHIN = ['withinHourly', 'withinDaily', 'withinWeekly', 'withinMonthly', 'withinQuarterly', 'withinYearly'] as const;

/** What to keep. Counts: -1 keeps all. Spans: `1y2m3d4h` before the newest snapshot. Whatever one rule keeps is kept. */
export type RetentionPolicy = { readonly [Rule in (typeof COUNTED)[number]]?: number | undefined } & {
  readonly [Rule in 'within' | (typeof WITHIN)[number]]?: string | undefined;
} & {
  /** Snapshots that have all tags of any of these lists. */
  readonly tags?: readonly (readonly string[])[] | undefined;
};

/** What a policy looks at. */
export interface Retained {
  /** ISO time. */
  readonly at: string;
  readonly tags?: readonly string[] | undefined;
}

/** What becomes of a snapshot, and why. */
export interface ForgetDecision<S extends Retained> {
  readonly snapshot: S;
  readonly keep: boolean;
  /** The rules that keep it; for one that is forgotten, none. */
  readonly reasons: readonly string[];
  /** What is left of each rule's count after it; rules without any left out. */
  readonly counters: { readonly [rule: string]: number };
}

interface Rule {
  readonly name: string;
  /** The reason if it keeps the snapshot. */
  keep(snapshot: Retained, timeMs: number, position: number, isOldest: boolean): string | undefined;
  counter?(): number;
}

/**
 * Which snapshots a policy keeps, newest first: restic's semantics. A counted rule keeps the newest of each period that has any; where its
 * count is not used up it keeps the oldest of all. An empty policy keeps nothing. Spans are taken from the newest snapshot that does not lie in
 * the future.
 */
export function planForget<S extends Retained>(snapshots: readonly S[], policy: RetentionPolicy, nowMs: number): ForgetDecision<S>[] {
  const sorted = [...snapshots].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const latest = sorted.find(({ at }) => Date.parse(at) <= nowMs) ?? sorted.at(-1);
  const rules = rulesOf(policy, latest ? Date.parse(latest.at) : nowMs);
  return sorted.map((snapshot, position) => {
    const isOldest = position === sorted.length - 1;
    const reasons = rules
      .map((rule) => rule.keep(snapshot, Date.parse(snapshot.at), position, isOldest))
      .filter((reason) => reason !== undefined);
    const left = rules.flatMap((rule) => (rule.counter?.() ? [[rule.name, rule.counter()] as const] : []));
    return { snapshot, keep: reasons.length > 0, reasons, counters: Object.fromEntries(left) };
  });
}

/** True where a policy has no rule at all: it would keep nothing. */
export function isEmptyPolicy(policy: RetentionPolicy): boolean {
  const counts = COUNTED.some((rule) => (policy[rule] ?? 0) !== 0);
  const spans = ['within' as const, ...WITHIN].some((rule) => policy[rule]);
  return !counts && !spans && (policy.tags ?? []).length === 0;
}

function rulesOf(policy: RetentionPolicy, latestMs: number): Rule[] {
  const rules: Rule[] = (policy.tags ?? []).map((tags) => tagRule(tags));
  if (policy.within) rules.push(withinRule(policy.within, latestMs));
  for (const name of COUNTED) if (policy[name]) rules.push(countedRule(name, policy[name]));
  for (const name of WITHIN) if (policy[name]) rules.push(periodWithinRule(name.slice(6).toLowerCase() as Period, policy[name], latestMs));
  return rules;
}

function tagRule(tags: readonly string[]): Rule {
  const reason = `has tags [${tags.join(', ')}]`;
  return { name: 'tags', keep: (snapshot) => (tags.every((tag) => snapshot.tags?.includes(tag)) ? reason : undefined) };
}

function withinRule(span: string, latestMs: number): Rule {
  const parsed = parseSpan(span);
  const afterMs = subtractSpan(latestMs, parsed);
  return { name: 'within', keep: (_, timeMs) => (timeMs > afterMs ? `within ${formatSpan(parsed)}` : undefined) };
}

function countedRule(name: (typeof COUNTED)[number], count: number): Rule {
  let left = count;
  let lastPeriod: string | undefined;
  return {
    name,
    counter: () => left,
    keep: (_, timeMs, position, isOldest) => {
      if (left === 0) return undefined;
      const period = name === 'last' ? String(position) : PERIODS[name](timeMs);
      const isNew = period !== lastPeriod;
      if (!isNew && !isOldest) return undefined;
      lastPeriod = period;
      if (left > 0) left--;
      return isNew ? `${name} snapshot` : `oldest ${name} snapshot`;
    },
  };
}

function periodWithinRule(name: Period, span: string, latestMs: number): Rule {
  const parsed = parseSpan(span);
  const afterMs = subtractSpan(latestMs, parsed);
  let lastPeriod: string | undefined;
  return {
    name: `within ${name}`,
    keep: (_, timeMs, _position, isOldest) => {
      if (timeMs <= afterMs) return undefined;
      const period = PERIODS[name](timeMs);
      const isNew = period !== lastPeriod;
      if (!isNew && !isOldest) return undefined;
      lastPeriod = period;
      return `${isNew ? '' : 'oldest '}${name} within ${formatSpan(parsed)}`;
    },
  };
}

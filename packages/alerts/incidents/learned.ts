import { compareUtf8 } from '#core/text.ts';
import { DAY_MS } from '#core/time.ts';
import type { LabelSet } from '#model/alert.ts';

/** Two names by their order: how often they began in one window, and how often the first, or the second, began before the other. */
export type Pair = readonly [together: number, firstBefore: number, secondBefore: number];

/** What earlier windows of alerts have taught; counts fade by half in 30 days. */
export interface Learned {
  /** Windows in which an alert began. */
  readonly windows: number;
  /** Windows by alertname, by pair of alertnames, and by label value (`name=value`). */
  readonly names: Readonly<Record<string, number>>;
  readonly pairs: Readonly<Record<string, Pair>>;
  readonly values: Readonly<Record<string, number>>;
  readonly fadedAtMs: number;
  /** Windows that are not counted yet, since alerts may still come. */
  readonly open: readonly OpenWindow[];
}

interface OpenWindow {
  readonly startMs: number;
  /** First start by alertname. */
  readonly names: Readonly<Record<string, number>>;
  /** Alerts by label value. */
  readonly values: Readonly<Record<string, number>>;
}

export const NOTHING_LEARNED: Learned = { windows: 0, names: {}, pairs: {}, values: {}, fadedAtMs: 0, open: [] };

const HALF_LIFE_MS = 30 * DAY_MS;
/** A count that has faded to less is forgotten. */
const LEAST = 0.05;
/** Of one window: names that began first, and values of most alerts. */
const MAX_NAMES = 60;
const MAX_VALUES = 2_000;
/** Of all windows: those counted most. */
const MAX_COUNTS = 20_000;

/** Key of a pair of names, whichever comes first; and whether `a` is its first. */
export function pairKey(a: string, b: string): { readonly key: string; readonly isFirst: boolean } {
  const isFirst = compareUtf8(a, b) <= 0;
  return { key: isFirst ? `${a}\u0000${b}` : `${b}\u0000${a}`, isFirst };
}

interface Start {
  readonly labels: LabelSet;
  readonly startsAtMs: number;
}

/** Notes alerts that began, and counts the windows that are past: nothing that belongs to them is expected any more. In any order the same. */
export function learnStarts(learned: Learned, starts: readonly Start[], windowMs: number, nowMs: number): Learned {
  const open = new Map(learned.open.map((window) => [window.startMs, window]));
  const fresh = new Map<number, { names: Map<string, number>; values: Map<string, number> }>();
  for (const { labels, startsAtMs } of starts) {
    const startMs = Math.floor(startsAtMs / windowMs) * windowMs;
    if (startMs + 2 * windowMs <= nowMs) continue; // already counted, or it would be by itself
    let window = fresh.get(startMs);
    if (!window) {
      const known = open.get(startMs);
      window = { names: toMap(known?.names), values: toMap(known?.values) };
      fresh.set(startMs, window);
    }
    const { alertname = '' } = labels;
    window.names.set(alertname, Math.min(window.names.get(alertname) ?? Number.POSITIVE_INFINITY, startsAtMs));
    for (const [name, value] of Object.entries(labels)) {
      const key = `${name}=${value}`;
      window.values.set(key, (window.values.get(key) ?? 0) + 1);
    }
  }
  for (const [startMs, { names, values }] of fresh) {
    open.set(startMs, { startMs, names: Object.fromEntries(names), values: Object.fromEntries(values) });
  }
  const windows = [...open.values()].sort((a, b) => a.startMs - b.startMs);
  const past = windows.filter(({ startMs }) => startMs + 2 * windowMs <= nowMs);
  if (past.length === 0) return fresh.size === 0 ? learned : { ...learned, open: windows };
  return { ...past.reduce(countWindow, learned), open: windows.filter(({ startMs }) => startMs + 2 * windowMs > nowMs) };
}

function countWindow(learned: Learned, window: OpenWindow): Learned {
  const factor = learned.windows === 0 ? 1 : 0.5 ** (Math.max(0, window.startMs - learned.fadedAtMs) / HALF_LIFE_MS);
  const names = fade(learned.names, factor);
  const values = fade(learned.values, factor);
  const pairs = new Map<string, Pair>();
  for (const [key, [together, first, second]] of Object.entries(learned.pairs)) {
    if (together * factor >= LEAST) pairs.set(key, [together * factor, first * factor, second * factor]);
  }
  const began = Object.entries(window.names)
    .sort((a, b) => a[1] - b[1] || compareUtf8(a[0], b[0]))
    .slice(0, MAX_NAMES);
  for (const [i, [name, startMs]] of began.entries()) {
    names.set(name, (names.get(name) ?? 0) + 1);
    for (const [other, otherMs] of began.slice(i + 1)) {
      const { key, isFirst } = pairKey(name, other);
      const [together, first, second] = pairs.get(key) ?? [0, 0, 0];
      const isBefore = startMs < otherMs ? 1 : 0;
      pairs.set(key, [together + 1, first + (isFirst ? isBefore : 0), second + (isFirst ? 0 : isBefore)]);
    }
  }
  const seen = Object.entries(window.values)
    .sort((a, b) => b[1] - a[1] || compareUtf8(a[0], b[0]))
    .slice(0, MAX_VALUES);
  for (const [value] of seen) values.set(value, (values.get(value) ?? 0) + 1);
  return {
    windows: learned.windows * factor + 1,
    names: keepMost(names, (count) => count),
    pairs: keepMost(pairs, ([together]) => together),
    values: keepMost(values, (count) => count),
    fadedAtMs: Math.max(learned.fadedAtMs, window.startMs),
    open: learned.open,
  };
}

/** Names come from whoever sends alerts, `constructor` and `__proto__` among them: counting goes by maps. */
function toMap(counts: Readonly<Record<string, number>> = {}): Map<string, number> {
  return new Map(Object.entries(counts));
}

function fade(counts: Readonly<Record<string, number>>, factor: number): Map<string, number> {
  return new Map(Object.entries(counts).flatMap(([key, count]) => (count * factor >= LEAST ? [[key, count * factor] as const] : [])));
}

function keepMost<T>(counts: ReadonlyMap<string, T>, measure: (count: T) => number): Record<string, T> {
  const entries = [...counts];
  if (entries.length <= MAX_COUNTS) return Object.fromEntries(entries);
  return Object.fromEntries(entries.sort((a, b) => measure(b[1]) - measure(a[1]) || compareUtf8(a[0], b[0])).slice(0, MAX_COUNTS));
}

function countOf(counts: Readonly<Record<string, number>>, key: string): number {
  return Object.hasOwn(counts, key) ? (counts[key] as number) : 0;
}

/** What it says that two alerts share this value, in bits: the rarer in earlier windows the more; 1 before anything is known. */
export function valueBits({ windows, values }: Learned, name: string, value: string): number {
  return Math.max(0, Math.log2((windows + 2) / (countOf(values, `${name}=${value}`) + 1)));
}

/** Windows that two names must have shared before that says anything. */
const LEAST_TOGETHER = 3;

/**
 * What it says that alerts of two names begin in one window, in bits: how much more often they do than by chance (pointwise mutual
 * information). 0 for too few windows, and where they are more often apart than together.
 */
export function pairBits({ windows, names, pairs }: Learned, a: string, b: string): number {
  const pair = pairs[pairKey(a, b).key];
  const [countA, countB] = [countOf(names, a), countOf(names, b)];
  if (pair === undefined || pair[0] < LEAST_TOGETHER || pair[0] < 0.5 * Math.min(countA, countB)) return 0;
  return Math.max(0, Math.log2((pair[0] * windows) / (countA * countB)));
}

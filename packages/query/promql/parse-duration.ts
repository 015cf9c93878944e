import { quoteText } from './quote.ts';

/** Milliseconds, or why the text is no duration in Prometheus' words. */
export type ParsedDuration = { readonly ms: number } | { readonly reason: string };

const UNITS: Record<string, { readonly rank: number; readonly ms: number }> = {
  y: { rank: 1, ms: 365 * 86_400_000 },
  w: { rank: 2, ms: 7 * 86_400_000 },
  d: { rank: 3, ms: 86_400_000 },
  h: { rank: 4, ms: 3_600_000 },
  m: { rank: 5, ms: 60_000 },
  s: { rank: 6, ms: 1000 },
  ms: { rank: 7, ms: 1 },
};

/** The longest duration in milliseconds: 2^63 - 1 nanoseconds. */
const MAX_MS = 9_223_372_036_854.775;

/** A duration such as `1h30m` or `500ms`: units from big to small, each once. `0` needs no unit. */
export function parseDuration(text: string): ParsedDuration {
  if (text === '0') return { ms: 0 };
  if (text === '') return { reason: 'empty duration string' };
  const invalid = { reason: `not a valid duration string: ${quoteText(text)}` };
  if (!/^(?:\d+[^\d]+)+$/.test(text)) return invalid;
  let ms = 0;
  let rank = 0;
  for (const [, digits, name] of text.matchAll(/(\d+)([^\d]+)/g)) {
    if (BigInt(digits) >= 2n ** 64n) return invalid;
    const unit = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
    if (unit === undefined) return { reason: `unknown unit ${quoteText(name)} in duration ${quoteText(text)}` };
    if (unit.rank <= rank) return invalid;
    rank = unit.rank;
    ms += Number(digits) * unit.ms;
    if (ms > MAX_MS) return { reason: 'duration out of range' };
  }
  return { ms };
}

import { DAY_MS, isoDate } from '#core/time.ts';
import type { ViewFlag } from './store/flag-view.ts';
import type { VariantDay } from './store/usage.ts';

/** A flag that nothing speaks for any more, and why. */
export interface StaleFlag {
  readonly flag: string;
  readonly file: string | undefined;
  /** ISO time of the last change by API; undefined for a flag that only a file ever said something of. */
  readonly changedAt: string | undefined;
  /** Last days, UTC: asked for by name, and with all others. */
  readonly askedOn: string | undefined;
  readonly askedWithAllOn: string | undefined;
  /** Variants given within the days looked at. */
  readonly variants: readonly string[];
  readonly why: readonly string[];
}

/**
 * Flags that were not changed for so many days, and of which nobody asked within them, or everybody got the same. What a process saw in its
 * last minute may be missing, and of a file's flag the day of its last change is not known.
 */
export function planStaleReport(flags: Iterable<ViewFlag>, usage: readonly VariantDay[], days: number, nowMs: number): StaleFlag[] {
  const sinceMs = nowMs - days * DAY_MS;
  const since = isoDate(sinceMs);
  const byFlag = Map.groupBy(usage, ({ flag }) => flag);
  const stale: StaleFlag[] = [];
  for (const { key, file, record } of flags) {
    if (record && record.updatedAtMs > sinceMs) continue;
    const seen = byFlag.get(key) ?? [];
    const variants = [...new Set(seen.filter(({ day }) => day >= since).map(({ variant }) => variant))].sort();
    const last = (asked: VariantDay['asked']) =>
      seen
        .filter((each) => each.asked === asked)
        .map(({ day }) => day)
        .sort()
        .at(-1);
    const [askedOn, askedWithAllOn] = [last('single'), last('bulk')];
    const why = reasons({ variants, askedOn, askedWithAllOn, since, days });
    const changedAt = record && new Date(record.updatedAtMs).toISOString();
    if (why.length > 0) stale.push({ flag: key, file, changedAt, askedOn, askedWithAllOn, variants, why });
  }
  return stale;
}

interface Seen {
  readonly variants: readonly string[];
  readonly askedOn: string | undefined;
  readonly askedWithAllOn: string | undefined;
  readonly since: string;
  readonly days: number;
}

function reasons({ variants, askedOn, askedWithAllOn, since, days }: Seen): string[] {
  const isAsked = (day: string | undefined) => day !== undefined && day >= since;
  if (variants.length === 0) return [`was not evaluated for ${days} days`];
  const why: string[] = [];
  if (!isAsked(askedOn) && isAsked(askedWithAllOn)) why.push(`was not asked for by name for ${days} days, only with all others`);
  if (variants.length === 1)
    why.push(`gave everybody ${variants[0] === '' ? "the code's own default" : JSON.stringify(variants[0])} for ${days} days`);
  return why;
}

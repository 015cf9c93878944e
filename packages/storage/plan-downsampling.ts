import type { WindowState } from './catalog.ts';
import { stateOf } from './catalog.ts';
import { type CatalogEntry, LEVEL, visibleEntries } from './catalog-entry.ts';
import { isClosed } from './plan-compaction.ts';

/** Derive the coarser window of a day from all visible entries of the finer one. */
export interface DownsamplingJob {
  readonly from: WindowState;
  readonly to: WindowState;
  /** What `to` will then be made from. */
  readonly source: string;
  /** Which state of the raw tier that goes back to. */
  readonly root: string;
}

/**
 * The coarser tier of a day is (re)made whenever the finer one is final and not what it was made from, so late data reaches
 * every tier. A finer window that is empty or expiring asks for nothing.
 */
export function planDownsampling(from: WindowState, to: WindowState, nowMs: number): DownsamplingJob | undefined {
  const visible = visibleEntries(from.entries);
  if (from.head.expired || visible.length === 0 || !isFinal(visible) || !isClosed(from.window, nowMs)) return undefined;
  const source = stateOf(from);
  return to.head.source === source ? undefined : { from, to, source, root: from.window.tier === 'hot' ? source : from.head.root };
}

/** True if nothing waits for compaction. */
export function isFinal(visible: readonly CatalogEntry[]): boolean {
  return visible.every((entry) => entry.level === LEVEL.final);
}

import type { Observed, Seen } from './observation.ts';
import type { StuckPattern } from './pattern.ts';
import { formatValue, isoSecond } from './words.ts';

export interface StuckRow {
  readonly value: number;
  /** Since when it has stood still while the other condition held; undefined before it ever moved, or while that does not hold. */
  readonly sinceMs?: number | undefined;
  /** It has moved at least once since it is known. */
  readonly moved: boolean;
  readonly held: boolean;
}

/** A value moves where it differs from the evaluation before, whichever way. A series that goes away is forgotten. */
export function observeStuck(pattern: StuckPattern, before: StuckRow | undefined, { values, atMs }: Seen): Observed<StuckRow> {
  const [value] = values;
  if (value === undefined || !Number.isFinite(value)) return { row: undefined };
  const held = pattern.while === undefined || values[1] !== undefined;
  if (before === undefined) return { row: { value, moved: false, held } };
  const isMove = value !== before.value;
  const moved = before.moved || isMove;
  const stands = moved && held;
  const sinceMs = !stands ? undefined : isMove || !before.held || before.sinceMs === undefined ? atMs : before.sinceMs;
  const isSame = !isMove && held === before.held && sinceMs === before.sinceMs;
  const row = isSame ? before : { value, sinceMs, moved, held };
  if (sinceMs === undefined || atMs - sinceMs < pattern.forMs) return { row };
  return { row, found: { value: (atMs - sinceMs) / 1_000, explain: () => explain(pattern, value, sinceMs) } };
}

function explain({ condition, while: other }: StuckPattern, value: number, sinceMs: number): string {
  const meanwhile = other ? `, while ${other.name} held` : '';
  return `${condition.name} moved before, and has stood at ${formatValue(value)} since ${isoSecond(sinceMs)}${meanwhile}`;
}

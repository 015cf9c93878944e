/** Milliseconds since the epoch. Handed in wherever time matters, so that tests own it. */
export type Clock = () => number;

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** The latest multiple of `stepMs` at or before `timeMs`; right for times before 1970 too. */
export function alignDown(timeMs: number, stepMs: number): number {
  return Math.floor(timeMs / stepMs) * stepMs;
}

/** `2026-11-23` for a time in that UTC day. */
export function isoDate(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}

import type { Rejection } from './decoded.ts';

/** Why a series (and with it each of its samples) cannot be taken. */
export interface SeriesRejection {
  readonly reason: string;
  readonly message: string;
}

/** Collects what a decoder leaves out, one entry per reason with the message of the first. */
export interface RejectionList {
  add(reason: string, count: number, describe: () => string): void;
  /** As `add`, for a series that was rejected by its labels. */
  addSeries(rejection: SeriesRejection, count: number): void;
  finish(): Rejection[];
}

/** Makes an empty list, which may start with what was left out before. */
export function createRejectionList(before: readonly Rejection[] = []): RejectionList {
  const byReason = new Map<string, { reason: string; message: string; count: number }>();
  for (const rejection of before) byReason.set(rejection.reason, { ...rejection });
  const add = (reason: string, count: number, describe: () => string) => {
    const known = byReason.get(reason);
    if (known) known.count += count;
    else byReason.set(reason, { reason, message: describe(), count });
  };
  return {
    add,
    addSeries: (rejection, count) => add(rejection.reason, count, () => rejection.message),
    finish: () => [...byReason.values()],
  };
}

/** A name or value as it may stand in a message: quoted, and cut where it is long. */
export function quoteShort(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

import type { Series } from '#model/series.ts';

/** Where samples go instead of their own tenant and its own retention. */
export interface Destination {
  readonly tenant?: string | undefined;
  readonly retentionClass?: string | undefined;
}

/** A test of each value of a series; stale markers always pass. */
export interface ValueCheck {
  passes(value: number): boolean;
  /** One sentence about a value that does not. */
  describe(value: number): string;
  /** The series that failing samples belong to from here on; undefined: they are rejected. */
  readonly onFail: Series | undefined;
}

/** What a rule makes of a series, or undefined where it leaves it alone. It depends on the series only, so it is asked once. */
export type Effect =
  | { readonly kind: 'change'; readonly series: Series }
  | { readonly kind: 'mark' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'reject'; readonly message: string }
  | { readonly kind: 'route'; readonly to: Destination }
  | { readonly kind: 'check'; readonly check: ValueCheck };

/** A rule that works series by series. */
export type SeriesRule = (series: Series) => Effect | undefined;

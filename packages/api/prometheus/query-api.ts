import type { Clock } from '#core/time.ts';
import type { SampleSource, SelectLimits } from '#ports/sample-source.ts';

/** What the query routes need. */
export interface QueryApi {
  readonly source: SampleSource;
  readonly queryLimits: (tenant: string) => SelectLimits & { readonly timeoutMs: number };
  readonly now: Clock;
  /** Version answered by status/buildinfo. */
  readonly version: string;
}

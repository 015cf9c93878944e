import type { Json } from '#model/json.ts';
import type { Judgement } from '#model/judgement.ts';

/** An analysis of an application's configuration, by name. `missing`, with the names there are, for one that it does not have. */
export type FindAnalysis = (asked: { readonly tenant: string; readonly application: string; readonly analysis: string }) => Promise<Json>;

/** A span of time that is judged by itself. */
export interface MeasureRequest {
  readonly tenant: string;
  /** As `FindAnalysis` gives it. */
  readonly analysis: Json;
  readonly variables: Readonly<Record<string, string>>;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Judges one span of time that nobody looks at again: pass, fail, or inconclusive, which no data is. `unavailable` where telemetry cannot be
 * asked now; `input` for queries that cannot be evaluated.
 */
export type MeasureOnce = (request: MeasureRequest) => Promise<Judgement>;

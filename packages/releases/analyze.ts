import type { Json } from '#model/json.ts';
import type { Judgement } from '#model/judgement.ts';

/** One look of an analysis at a release. */
export interface AnalysisRequest {
  readonly tenant: string;
  /** The analysis as the application's configuration has it, validated. */
  readonly analysis: Json;
  /** What stands in for `{{name}}` in queries: application, environment, stable, canary, release, ... */
  readonly variables: Readonly<Record<string, string>>;
  /** When the canary began to get traffic: nothing before it is looked at. */
  readonly fromMs: number;
  /** The end of what is looked at; whole intervals up to it count. */
  readonly toMs: number;
  /** From 1, without gaps. The same look asked for again, with the same state, gives the same judgement of the same samples. */
  readonly look: number;
  /** What the look before gave back; undefined for the first. */
  readonly state?: Json | undefined;
}

/** What a look gave. `state` is handed to the next look, and is at most 64 KB as JSON. */
export interface AnalysisResult {
  readonly judgement: Judgement;
  readonly state: Json;
}

/** Judges a release by the telemetry that is held. `unavailable` where it cannot be asked now; `input` for queries that cannot be evaluated. */
export type Analyze = (request: AnalysisRequest) => Promise<AnalysisResult>;

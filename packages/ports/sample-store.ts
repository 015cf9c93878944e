import type { SampleBatch } from '#model/samples.ts';

export interface AppendInput {
  readonly tenant: string;
  /**
   * Identity of the request: hex hash of its decoded samples before the pipeline, times resolved. The same id again is the
   * same data again. Where a sample was stamped at receipt it contains something random.
   */
  readonly id: string;
  readonly batch: SampleBatch;
  /** Name of another retention than the tenant's own, where a route chose one. */
  readonly retentionClass?: string | undefined;
}

/** Where ingested samples go. */
export interface SampleStore {
  /** Durable when it resolves, each (id, day) once however often it is called. `unavailable` may be retried freely. */
  append(input: AppendInput): Promise<void>;
}

/** Limits on what a request may carry; api.md's figures. Each over-limit item is rejected alone, counted and named. */
export interface IngestLimits {
  readonly maxCompressedBytes: number;
  readonly maxBodyBytes: number;
  readonly maxLabels: number;
  readonly maxNameBytes: number;
  readonly maxValueBytes: number;
  /** How far ahead of the clock a sample may be. */
  readonly maxAheadMs: number;
  /** How old a sample may be (raw retention). */
  readonly maxAgeMs: number;
}

export const defaultIngestLimits: IngestLimits = {
  maxCompressedBytes: 16 * 1024 * 1024,
  maxBodyBytes: 64 * 1024 * 1024,
  maxLabels: 64,
  maxNameBytes: 1024,
  maxValueBytes: 8192,
  maxAheadMs: 600_000,
  maxAgeMs: 15 * 86_400_000,
};

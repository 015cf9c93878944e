import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';

const count = z.int().min(0);
const LookState = z.strictObject({ taken: z.array(z.int().min(0)).max(200).readonly(), tested: count });

const TestState = z.strictObject({
  fail: LookState,
  pass: LookState,
  samples: count,
  missing: count,
  failed: count.optional(),
  passed: count.optional(),
});

const ThresholdState = z.strictObject({
  counts: z.strictObject({
    count,
    successful: count,
    failed: count,
    inconclusive: count,
    error: count,
    consecutiveError: count,
    consecutiveSuccess: count,
  }),
  /** The last time that was measured. */
  untilMs: z.number().optional(),
  /** The last value that was one. */
  value: z.number().optional(),
  outcome: z.enum(['successful', 'failed', 'inconclusive', 'error']).optional(),
});
export type ThresholdState = z.infer<typeof ThresholdState>;

/**
 * What is kept between looks: what was spent and counted, and no samples. Samples are asked for anew at each look, which counts those
 * that came late and keeps the state small.
 */
export const AnalysisState = z.strictObject({
  look: count,
  tests: z.record(z.string(), TestState),
  thresholds: z.record(z.string(), ThresholdState),
});
export type AnalysisState = z.infer<typeof AnalysisState>;

export const noState: AnalysisState = { look: 0, tests: {}, thresholds: {} };

/** Reads the state that look `look` begins with. `input` for what is none, `conflict` for that of another look. */
export function readState(json: Json | undefined, look: number): AnalysisState {
  if (!Number.isSafeInteger(look) || look < 1) throw new OpsError('input', `a look is a whole number from 1; got ${look}`);
  const parsed = json === undefined ? { success: true as const, data: noState } : AnalysisState.safeParse(json);
  if (!parsed.success) throw new OpsError('input', 'the state of the analysis is not one that a look gave back', { cause: parsed.error });
  if (parsed.data.look === look - 1) return parsed.data;
  throw new OpsError('conflict', `look ${look} needs the state of look ${look - 1}; got that of look ${parsed.data.look}`);
}

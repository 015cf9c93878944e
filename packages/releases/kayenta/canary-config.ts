import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { strictFields } from '#model/strict-fields.ts';

const effect = z.number().min(0).optional();

const EffectSize = strictFields({
  measure: z.enum(['meanRatio', 'cles']).default('meanRatio'),
  allowedIncrease: effect,
  allowedDecrease: effect,
  criticalIncrease: effect,
  criticalDecrease: effect,
});

const Outliers = strictFields({
  strategy: z.enum(['remove', 'keep']).default('keep'),
  outlierFactor: z.number().gt(0).default(3),
});

/** How one metric is judged. A name that is misspelt here would be a limit that does not hold: only these are taken. */
const CanaryAnalysis = strictFields({
  direction: z.enum(['increase', 'decrease', 'either']).default('either'),
  nanStrategy: z.enum(['remove', 'replace']).default('remove'),
  critical: z.boolean().default(false),
  muted: z.boolean().default(false),
  mustHaveData: z.boolean().default(false),
  effectSize: EffectSize.optional(),
  outliers: Outliers.optional(),
});
export type CanaryAnalysis = z.infer<typeof CanaryAnalysis>;

const ScoreThresholds = strictFields({ pass: z.number().min(0).max(100), marginal: z.number().min(0).max(100) }).refine(
  ({ pass, marginal }) => marginal <= pass,
  { error: 'marginal must be at most pass', path: ['marginal'] },
);
/** Scores from which a canary passes, or is let through as marginal. */
export type ScoreThresholds = z.infer<typeof ScoreThresholds>;

/** Hundredths of a percent that weights may be over by their rounding. */
const WEIGHT_SLACK = 0.01;

const groupWeights = z
  .record(z.string(), z.number().min(0).max(100))
  .nullish()
  .transform((weights) => weights ?? {})
  .refine((weights) => Object.values(weights).reduce((sum, weight) => sum + weight, 0) <= 100 + WEIGHT_SLACK, {
    error: 'the weights come to more than 100',
  });

const CanaryMetric = z.looseObject({
  name: z.string().min(1).max(400),
  groups: z.array(z.string().min(1).max(400)).max(100).default([]),
  analysisConfigurations: z
    .looseObject({ canary: CanaryAnalysis.prefault({}) })
    .nullish()
    .transform((configurations) => configurations ?? { canary: CanaryAnalysis.parse({}) }),
});
export type CanaryMetric = z.infer<typeof CanaryMetric>;

/**
 * Spinnaker's canary configuration, as far as it is for the judge to read; what is for others (`query`, `judge`, `templates`, `applications`,
 * ...) is taken and left alone. Score thresholds may come with the call instead.
 */
export const CanaryConfig = z.looseObject({
  name: z.string().max(400).optional(),
  metrics: z
    .array(CanaryMetric)
    .min(1)
    .max(1_000)
    .refine((metrics) => new Set(metrics.map(({ name }) => name)).size === metrics.length, { error: 'two metrics have the same name' }),
  classifier: z
    .looseObject({ groupWeights, scoreThresholds: ScoreThresholds.nullish() })
    .nullish()
    .transform((classifier) => classifier ?? { groupWeights: {}, scoreThresholds: undefined }),
});
export type CanaryConfig = z.infer<typeof CanaryConfig>;

/** Reads a canary configuration; `input` names every field that is wrong, and what it takes. */
export function parseCanaryConfig(json: unknown): CanaryConfig {
  const parsed = CanaryConfig.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 20).map(({ path, message }) => `${path.join('.') || 'the configuration'}: ${message}`);
  throw new OpsError('input', `the canary configuration cannot be used: ${faults.join('; ')}`);
}

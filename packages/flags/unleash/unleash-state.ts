import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { describeIssues } from '#flags/flag-definition.ts';

const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const Constraint = z.looseObject({
  contextName: z.string().min(1),
  operator: z.string(),
  values: list(z.string()),
  value: z.union([z.string(), z.number()]).nullish(),
  inverted: z.boolean().nullish(),
  caseInsensitive: z.boolean().nullish(),
});
export type Constraint = z.infer<typeof Constraint>;

const Variant = z.looseObject({
  name: z.string().min(1),
  weight: z.int().min(0).max(1_000_000),
  payload: z.looseObject({ type: z.string(), value: z.string() }).nullish(),
  stickiness: z.string().nullish(),
  overrides: list(z.looseObject({ contextName: z.string().min(1), values: z.array(z.string()) })),
});
export type Variant = z.infer<typeof Variant>;

const Strategy = z.looseObject({
  name: z.string(),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .nullish()
    .transform((parameters) => parameters ?? {}),
  constraints: list(Constraint),
  segments: list(z.number()),
  variants: list(Variant),
  disabled: z.boolean().nullish(),
});
export type Strategy = z.infer<typeof Strategy>;

const Feature = z.looseObject({
  name: z.string(),
  enabled: z.boolean(),
  strategies: list(Strategy),
  variants: list(Variant),
  dependencies: list(z.looseObject({ feature: z.string(), enabled: z.boolean().nullish(), variants: list(z.string()) })),
  description: z.string().nullish(),
  type: z.string().nullish(),
  project: z.string().nullish(),
});
export type Feature = z.infer<typeof Feature>;

const Segment = z.looseObject({ id: z.number(), constraints: list(Constraint) });
export type Segment = z.infer<typeof Segment>;

const Event = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('hydration'), features: list(Feature), segments: list(Segment) }),
  z.looseObject({ type: z.literal('feature-updated'), feature: Feature }),
  z.looseObject({ type: z.literal('feature-removed'), featureName: z.string() }),
  z.looseObject({ type: z.literal('segment-updated'), segment: Segment }),
  z.looseObject({ type: z.literal('segment-removed'), segmentId: z.number() }),
]);
type Event = z.infer<typeof Event>;

/** What Unleash's client API gives: everything, or delta events that come to it. */
const UnleashFile = z.union([
  z.looseObject({ features: z.array(Feature), segments: list(Segment) }),
  z.looseObject({ events: z.array(Event) }),
]);

/** Unleash's features and segments, by name and by id. */
export interface UnleashState {
  readonly features: ReadonlyMap<string, Feature>;
  readonly segments: ReadonlyMap<number, Segment>;
}

/** Reads what Unleash's client API gives, delta events applied in their order; `input` with a line for each thing that is wrong. */
export function readUnleashState(value: unknown): UnleashState {
  const parsed = UnleashFile.safeParse(value);
  if (!parsed.success) throw new OpsError('input', `is not what Unleash's client API gives: ${describeIssues(parsed.error, '')}`);
  const state = { features: new Map<string, Feature>(), segments: new Map<number, Segment>() };
  const events = 'events' in parsed.data ? (parsed.data.events as Event[]) : [{ ...parsed.data, type: 'hydration' as const } as Event];
  for (const event of events) apply(state, event);
  return state;
}

function apply({ features, segments }: { features: Map<string, Feature>; segments: Map<number, Segment> }, event: Event): void {
  switch (event.type) {
    case 'hydration':
      features.clear();
      segments.clear();
      for (const feature of event.features) features.set(feature.name, feature);
      for (const segment of event.segments) segments.set(segment.id, segment);
      break;
    case 'feature-updated':
      features.set(event.feature.name, event.feature);
      break;
    case 'feature-removed':
      features.delete(event.featureName);
      break;
    case 'segment-updated':
      segments.set(event.segment.id, event.segment);
      break;
    case 'segment-removed':
      segments.delete(event.segmentId);
      break;
  }
}

import * as z from 'zod';
import { MINUTE_MS } from '#core/time.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import { GateField } from './gate.ts';

const gates = z.array(GateField).max(20).default([]);
const percent = (least: number) => z.number().min(least).max(100);
const pause = durationField('0s', '30d');
const MAX_STEPS = 100;

/** A weight, and how long it is held at least; `before` and `after` are gates of this step alone. */
const CanaryStep = strictFields({ weight: percent(0), pause: pause.default(0), before: gates, after: gates });
const FlagStep = strictFields({ percentage: percent(0), pause: pause.default(0), before: gates, after: gates });

const PRESET = /^(?:CodeDeployDefault\.)?(?:Lambda|ECS)?(?:(AllAtOnce)|(Canary|Linear)([1-9]\d?)Percent(?:Every)?([1-9]\d{0,3})Minutes?)$/;
const Preset = z
  .string()
  .regex(PRESET, "must be one of CodeDeploy's names, such as Canary10Percent5Minutes, Linear10PercentEvery1Minute or AllAtOnce");

/** Increasing, so that no step gives back what the one before has given. */
function increasing(weights: readonly number[], context: z.RefinementCtx, path: readonly PropertyKey[]): void {
  weights.forEach((weight, i) => {
    if (i > 0 && weight < (weights[i - 1] as number))
      context.addIssue({
        code: 'custom',
        path: [...path, i],
        message: `is less than the step before it: ${weight} after ${weights[i - 1]}`,
      });
  });
}

const Canary = z
  .union([Preset, strictFields({ steps: z.array(CanaryStep).min(1).max(MAX_STEPS) })], {
    error: "takes one of CodeDeploy's names, such as Canary10Percent5Minutes, or steps with weight and pause",
  })
  .superRefine((canary, context) => {
    if (typeof canary !== 'string')
      increasing(
        canary.steps.map(({ weight }) => weight),
        context,
        ['steps'],
      );
  });
const BlueGreen = strictFields({
  /** How long the new version runs without traffic. */
  warm: pause.default(0),
  /** How long it has all traffic before it counts as promoted. */
  bake: pause.default(0),
  /** How long the old version is kept for an instant return. */
  keep: pause.default(0),
  /** After warming, before the switch. */
  beforeSwitch: gates,
  /** After baking. */
  afterBake: gates,
});
const Rolling = strictFields({
  batches: z.int().min(1).max(MAX_STEPS).optional(),
  pause: pause.default(0),
  /** Percent of the capacity that may be missing, and that may be there beyond it, while a batch is replaced. */
  maxUnavailable: percent(0).default(25),
  surge: percent(0).default(0),
  after: gates,
}).superRefine(({ batches, maxUnavailable, surge }, context) => {
  const most = maxUnavailable + surge;
  if (most === 0) context.addIssue({ code: 'custom', message: 'maxUnavailable and surge are both 0: no batch could be replaced' });
  else if (batches !== undefined && 100 / batches > most)
    context.addIssue({
      code: 'custom',
      path: ['batches'],
      message: `a batch of ${Math.ceil(100 / batches)} % is more than maxUnavailable and surge allow (${most} %); at least ${Math.ceil(100 / most)} batches`,
    });
});
const Flag = strictFields({ steps: z.array(FlagStep).min(1).max(MAX_STEPS) }).superRefine(({ steps }, context) =>
  increasing(
    steps.map(({ percentage }) => percentage),
    context,
    ['steps'],
  ),
);

const STRATEGIES = { canary: Canary, blueGreen: BlueGreen, rolling: Rolling, flag: Flag } as const;

/** How a version gets its traffic. Exactly one of them. */
export const Strategy = strictFields({
  canary: Canary.optional(),
  blueGreen: BlueGreen.optional(),
  rolling: Rolling.optional(),
  flag: Flag.optional(),
}).superRefine((strategy, context) => {
  const given = Object.values(strategy).filter((value) => value !== undefined).length;
  if (given !== 1) context.addIssue({ code: 'custom', message: `takes exactly one of ${Object.keys(STRATEGIES).join(', ')}` });
});
export type Strategy = z.infer<typeof Strategy>;

/** A step before its gates have keys. */
export interface StepFields {
  readonly name: string;
  readonly weight: number;
  readonly pauseMs: number;
  readonly before: readonly GateField[];
  readonly after: readonly GateField[];
}

/** The steps of a strategy, in order; the last one always has all traffic. */
export function stepsOf({ canary, blueGreen, rolling, flag }: Strategy): StepFields[] {
  if (typeof canary === 'string') return presetSteps(canary);
  if (canary) return closed(canary.steps.map(({ pause: pauseMs, ...step }) => ({ ...step, pauseMs, name: `canary ${step.weight} %` })));
  if (flag)
    return closed(
      flag.steps.map(({ percentage, pause: pauseMs, before, after }) => ({
        weight: percentage,
        pauseMs,
        before,
        after,
        name: `flag ${percentage} %`,
      })),
    );
  if (rolling) return rollingSteps(rolling);
  const { warm = 0, bake = 0, beforeSwitch = [], afterBake = [] } = blueGreen ?? {};
  return [plain('warm', 0, warm, beforeSwitch), plain('switch', 100, bake, afterBake)];
}

function plain(name: string, weight: number, pauseMs: number, after: readonly GateField[] = []): StepFields {
  return { name, weight, pauseMs, before: [], after };
}

function closed(steps: readonly StepFields[]): StepFields[] {
  return steps.at(-1)?.weight === 100 ? [...steps] : [...steps, plain('all traffic', 100, 0)];
}

/**
 * CodeDeploy's time-based shifts: a canary of x percent, and the rest y minutes later; or x percent each y minutes until all is shifted.
 * AWS Lambda's predefined configurations and those of ECS are named so.
 */
function presetSteps(preset: string): StepFields[] {
  const [, allAtOnce, form, percentText, minutes] = PRESET.exec(preset) ?? [];
  if (allAtOnce !== undefined) return [plain('all traffic', 100, 0)];
  const [weight, pauseMs] = [Number(percentText), Number(minutes) * MINUTE_MS];
  if (form === 'Canary') return closed([plain(`canary ${weight} %`, weight, pauseMs)]);
  const increments = Array.from({ length: Math.ceil(100 / weight) - 1 }, (_, i) => (i + 1) * weight);
  return closed(increments.map((each) => plain(`linear ${each} %`, each, pauseMs)));
}

/** A batch is at most what may be missing and what may be there beyond the capacity, as in a rolling update of Kubernetes. */
function rollingSteps({ batches, maxUnavailable, surge, pause: pauseMs, after }: NonNullable<Strategy['rolling']>): StepFields[] {
  const count = batches ?? Math.ceil(100 / Math.min(100, maxUnavailable + surge));
  return Array.from({ length: count }, (_, i) => plain(`batch ${i + 1} of ${count}`, Math.floor(((i + 1) * 100) / count), pauseMs, after));
}

import * as z from 'zod';
import { durationField, strictFields } from '#model/strict-fields.ts';
import { MAX_TIMES } from './observation.ts';
import type { Condition, Pattern } from './pattern.ts';

const expr = z.string().min(1, 'must not be empty');
const label = z.string().min(1, 'must not be empty');

/** A condition: an expression, or one with a name that it is called by in words. */
const ConditionField = z.union([expr, strictFields({ name: label.optional(), expr })], 'takes an expression, or {name, expr}');
type ConditionField = z.infer<typeof ConditionField>;

const StepField = z.union(
  [expr, strictFields({ name: label.optional(), expr, within: durationField('1s').optional() })],
  'takes an expression, or {name, expr, within}',
);

const forms = {
  sequence: strictFields({
    steps: z.array(StepField).min(1).max(8),
    within: durationField('1s').optional(),
    without: z.array(ConditionField).max(8).optional(),
    settle: durationField('0s').optional(),
  }),
  count: strictFields({
    expr,
    name: label.optional(),
    times: z.int().min(1).max(MAX_TIMES),
    within: durationField('1s').optional(),
    of: z.int().min(1).max(MAX_TIMES).optional(),
  }),
  flapping: strictFields({ expr, name: label.optional(), changes: z.int().min(2).max(MAX_TIMES), within: durationField('1s') }),
  heartbeat: strictFields({
    expr,
    name: label.optional(),
    missing_for: durationField('1s'),
    seen_for: durationField('0s').optional(),
    forget_after: durationField('1s').optional(),
  }),
  change: strictFields({
    expr,
    name: label.optional(),
    direction: z.enum(['rise', 'fall', 'either']).optional(),
    by: z.number().gt(0).optional(),
    ratio: z.number().gt(0).optional(),
    within: durationField('1s'),
  }),
  stuck: strictFields({ expr, name: label.optional(), for: durationField('1s'), while: ConditionField.optional() }),
};

const FORMS = Object.keys(forms) as (keyof typeof forms)[];

/** The fields of a pattern: `by`, and exactly one form. */
export const PatternFields = {
  /** Labels by which series of the conditions belong together; absent: all of them. */
  by: z.array(label).optional(),
  sequence: forms.sequence.optional(),
  count: forms.count.optional(),
  flapping: forms.flapping.optional(),
  heartbeat: forms.heartbeat.optional(),
  change: forms.change.optional(),
  stuck: forms.stuck.optional(),
};

/** A pattern as it is written. */
export type PatternWritten = z.infer<z.ZodObject<typeof PatternFields>>;

const WEEK = 7 * 86_400_000;

/** The pattern that is meant, evaluated each `intervalMs`; or in words why there is none. */
export function toPattern(written: PatternWritten, intervalMs: number): Pattern | string {
  const given = FORMS.filter((form) => written[form] !== undefined);
  if (given.length !== 1) return `takes exactly one of ${FORMS.join(', ')}; got ${given.join(' and ') || 'none'}`;
  const { sequence, count, flapping, heartbeat, change, stuck } = written;
  if (sequence) return toSequence(sequence);
  if (count) return toCount(count, intervalMs);
  if (flapping) return { form: 'flapping', condition: toCondition(flapping), changes: flapping.changes, windowMs: flapping.within };
  if (heartbeat) return toHeartbeat(heartbeat);
  if (change) return toChange(change);
  const { for: forMs, while: other } = stuck as NonNullable<typeof stuck>;
  return {
    form: 'stuck',
    condition: toCondition(stuck as NonNullable<typeof stuck>),
    forMs,
    while: other === undefined ? undefined : toCondition(other),
  };
}

/** A condition without a name is called by its expression. */
function toCondition(field: ConditionField): Condition {
  return typeof field === 'string' ? { name: field, expr: field } : { name: field.name ?? field.expr, expr: field.expr };
}

function toSequence({ steps, within, without = [], settle = 0 }: NonNullable<PatternWritten['sequence']>): Pattern | string {
  if (steps.length === 1 && (without.length === 0 || settle === 0)) return 'sequence: one step alone needs without and settle';
  const bounded = steps.map((step) => ({ ...toCondition(step), withinMs: typeof step === 'string' ? undefined : step.within }));
  if (within === undefined && bounded.slice(1).some((step) => step.withinMs === undefined)) {
    return 'sequence: takes within, or a within of each step but the first';
  }
  return {
    form: 'sequence',
    steps: bounded,
    withinMs: within,
    without: without.map(toCondition),
    settleMs: settle,
  };
}

function toCount(written: NonNullable<PatternWritten['count']>, intervalMs: number): Pattern | string {
  const { times, within, of } = written;
  if ((within === undefined) === (of === undefined)) return 'count: takes exactly one of within and of';
  if (of !== undefined && of < times) return `count: ${times} times of ${of} evaluations can never be`;
  const counts = of === undefined ? 'beginnings' : 'evaluations';
  return { form: 'count', condition: toCondition(written), counts, times, windowMs: within ?? (of as number) * intervalMs };
}

function toHeartbeat(written: NonNullable<PatternWritten['heartbeat']>): Pattern | string {
  const { missing_for: missingForMs, seen_for: seenForMs = 0, forget_after: forgetAfterMs = Math.max(WEEK, 2 * missingForMs) } = written;
  if (forgetAfterMs <= missingForMs) return 'heartbeat: forget_after must be longer than missing_for';
  return { form: 'heartbeat', condition: toCondition(written), missingForMs, seenForMs, forgetAfterMs };
}

function toChange(written: NonNullable<PatternWritten['change']>): Pattern | string {
  const { by, ratio, direction = 'either', within } = written;
  const amount = by ?? ratio;
  if (amount === undefined || (by !== undefined && ratio !== undefined)) return 'change: takes exactly one of by and ratio';
  return { form: 'change', condition: toCondition(written), direction, by: amount, isRelative: by === undefined, windowMs: within };
}

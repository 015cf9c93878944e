import * as z from 'zod';
import { isOpsError } from '#core/errors.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import { parseCalculation } from './calculation.ts';
import { labelNameField, patternField, RelabelConfig } from './relabel-config.ts';
import { parseSelector } from './selector.ts';

/** Reports what a parser of ours refuses, at the field itself. */
function readableBy(parse: (text: string) => unknown) {
  return (text: string, context: z.core.$RefinementCtx): void => {
    try {
      parse(text);
    } catch (error) {
      if (!isOpsError(error)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  };
}

/** A label that rules set: anything but the metric's name, which is `map`'s business. */
const setLabelName = labelNameField.refine((name) => name !== '__name__', 'cannot set __name__; use map with target_label: __name__');

const labelSet = z.record(setLabelName, z.string()).refine((labels) => Object.keys(labels).length > 0, 'takes at least one label');

export const ValidateRule = strictFields({
  requiredLabels: z.array(labelNameField).optional(),
  metricName: patternField.optional(),
  labelNames: patternField.optional(),
  labelValues: z.record(labelNameField, patternField).optional(),
  value: strictFields({ min: z.number().optional(), max: z.number().optional(), allowNaN: z.boolean().default(false) }).optional(),
  action: z.enum(['reject', 'tag']).default('reject'),
  tag: labelSet.optional(),
}).superRefine((rule, context) => {
  const { requiredLabels, metricName, labelNames, labelValues, value } = rule;
  if (!requiredLabels && metricName === undefined && labelNames === undefined && !labelValues && !value) {
    context.addIssue({ code: 'custom', message: 'checks nothing; it takes requiredLabels, metricName, labelNames, labelValues or value' });
  }
  if ((rule.action === 'tag') !== (rule.tag !== undefined)) {
    context.addIssue({ code: 'custom', path: ['tag'], message: 'says which labels `action: tag` sets; both or neither are given' });
  }
  if ((value?.min ?? Number.NEGATIVE_INFINITY) > (value?.max ?? Number.POSITIVE_INFINITY)) {
    context.addIssue({ code: 'custom', path: ['value', 'min'], message: 'must be at most max' });
  }
});
export type ValidateRule = z.infer<typeof ValidateRule>;

const tableFile = z
  .string()
  .regex(
    /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*\.ya?ml$/,
    'takes a .yaml file inside the configuration folder, such as tables/teams.yaml',
  );

export const EnrichRule = strictFields({
  labels: labelSet.optional(),
  lookup: strictFields({ table: tableFile, by: labelNameField, default: labelSet.optional() }).optional(),
  overwrite: z.boolean().default(false),
}).refine((rule) => rule.labels || rule.lookup, 'takes labels, lookup or both');
export type EnrichRule = z.infer<typeof EnrichRule>;

/** A table that `lookup` names: labels by the value of the label looked up. */
export const LookupTable = z.record(z.string(), z.record(setLabelName, z.string()));
export type LookupTable = z.infer<typeof LookupTable>;

const metricNameField = z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'takes a metric name of letters, digits, _ and :');

export const CalculateRule = strictFields({
  metric: metricNameField,
  expr: z.string().superRefine(readableBy(parseCalculation)),
  on: z.array(labelNameField.refine((name) => name !== '__name__', 'cannot be __name__')).optional(),
});
export type CalculateRule = z.infer<typeof CalculateRule>;

export const RouteRule = strictFields({ tenant: z.string().min(1).optional(), retentionClass: z.string().min(1).optional() }).refine(
  (rule) => rule.tenant !== undefined || rule.retentionClass !== undefined,
  'takes tenant, retentionClass or both',
);
export type RouteRule = z.infer<typeof RouteRule>;

export const AggregateRule = strictFields({
  op: z.enum(['sum', 'min', 'max', 'count']),
  by: z.array(labelNameField).optional(),
  without: z.array(labelNameField).optional(),
  interval: durationField('10s', '1d'),
  delay: durationField('0', '7d').default(300_000),
  metric: z
    .string()
    .regex(/^[a-zA-Z_:*][a-zA-Z0-9_:]*\*?[a-zA-Z0-9_:]*$/, 'takes a metric name in which one * may stand for the name of the input')
    .optional(),
  drop: z.boolean().default(false),
})
  .refine((rule) => !(rule.by && rule.without), 'takes by or without, not both')
  .refine((rule) => rule.metric !== '*', { path: ['metric'], message: 'must differ from the name of the input' });
export type AggregateRule = z.infer<typeof AggregateRule>;

const kinds = ['validate', 'enrich', 'filter', 'map', 'calculate', 'route', 'aggregate'] as const;

/** One rule of the pipeline: a name, what it applies to, and exactly one thing that it does. */
export const PipelineRule = strictFields({
  name: z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9 _.-]{0,62}[A-Za-z0-9])?$/, 'takes 1 to 64 letters, digits, spaces, dots, dashes and underscores'),
  match: z.string().superRefine(readableBy(parseSelector)).optional(),
  validate: ValidateRule.optional(),
  enrich: EnrichRule.optional(),
  filter: z.enum(['keep', 'drop']).optional(),
  map: z.array(RelabelConfig).min(1).max(200).optional(),
  calculate: CalculateRule.optional(),
  route: RouteRule.optional(),
  aggregate: AggregateRule.optional(),
}).superRefine((rule, context) => {
  const named = kinds.filter((kind) => rule[kind] !== undefined);
  if (named.length !== 1) {
    const got = named.length === 0 ? 'has none' : `has ${named.join(' and ')}`;
    context.addIssue({ code: 'custom', message: `takes exactly one of ${kinds.join(', ')}; it ${got}` });
  }
  const needsMatch = rule.filter !== undefined ? 'filter' : rule.aggregate !== undefined ? 'aggregate' : undefined;
  if (needsMatch && rule.match === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['match'],
      message: `is missing; a ${needsMatch} rule says what it applies to, such as '{job="api"}'`,
    });
  }
  if (rule.calculate && rule.match !== undefined) {
    context.addIssue({ code: 'custom', path: ['match'], message: 'has no place here; calculate names its metrics in expr' });
  }
});
export type PipelineRule = z.infer<typeof PipelineRule>;

/** pipeline.yaml: rules by tenant, in order; `'*'` for every tenant without a list of its own. */
export const PipelineFile = strictFields({
  tenants: z
    .record(
      z.string(),
      z
        .array(PipelineRule)
        .max(500)
        .superRefine((rules, context) => {
          for (const [i, { name }] of rules.entries()) {
            const first = rules.findIndex((rule) => rule.name === name);
            if (first < i)
              context.addIssue({
                code: 'custom',
                path: [i, 'name'],
                message: `repeats the name of rule ${first + 1}; names are counted by and must differ`,
              });
          }
        }),
    )
    .default({}),
});
export type PipelineFile = z.infer<typeof PipelineFile>;

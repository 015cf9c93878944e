import * as z from 'zod';
import { isOpsError } from '#core/errors.ts';
import { compileAnchored } from '#core/re2.ts';
import { strictFields } from '#model/strict-fields.ts';

/** Text that must be an RE2 pattern; the refusal is RE2's own. */
export const patternField = z.string().superRefine((pattern, context) => {
  try {
    compileAnchored(pattern);
  } catch (error) {
    if (!isOpsError(error)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** A label's name: any text but the empty one. */
export const labelNameField = z
  .string()
  .refine((name) => name !== '' && name.isWellFormed(), 'takes a label name, which is any text but an empty one');

const actions = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
type Action = (typeof actions)[number];

const fields = ['source_labels', 'separator', 'regex', 'modulus', 'target_label', 'replacement'] as const;
type Field = (typeof fields)[number];

/** Prometheus' `relabel_config`, fields and defaults as there; names may be any UTF-8. */
export const RelabelConfig = strictFields({
  source_labels: z.array(labelNameField).optional(),
  separator: z.string().optional(),
  regex: patternField.optional(),
  modulus: z.int().min(1).optional(),
  target_label: labelNameField.optional(),
  replacement: z.string().optional(),
  action: z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), z.enum(actions).default('replace')),
}).superRefine((config, context) => {
  const refuse = (path: Field, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  const { needs = [], only } = demands[config.action] ?? {};
  for (const field of needs) if (config[field] === undefined) refuse(field, `is missing; the ${config.action} action needs it`);
  for (const field of fields) {
    if (only && !only.includes(field) && config[field] !== undefined && config[field] !== defaults[field])
      refuse(field, `has no place here; ${config.action} takes only ${only.join(' and ')}`);
  }
});
export type RelabelConfig = z.infer<typeof RelabelConfig>;

/** Said in so many words they change nothing. */
const defaults: Readonly<Partial<Record<Field, string>>> = { separator: ';', replacement: '$1' };

const demands: Readonly<Partial<Record<Action, { needs?: readonly Field[]; only?: readonly Field[] }>>> = {
  replace: { needs: ['target_label'] },
  hashmod: { needs: ['target_label', 'modulus'] },
  lowercase: { needs: ['target_label'], only: ['source_labels', 'separator', 'regex', 'modulus', 'target_label'] },
  uppercase: { needs: ['target_label'], only: ['source_labels', 'separator', 'regex', 'modulus', 'target_label'] },
  keepequal: { needs: ['target_label'], only: ['source_labels', 'target_label'] },
  dropequal: { needs: ['target_label'], only: ['source_labels', 'target_label'] },
  labeldrop: { only: ['regex'] },
  labelkeep: { only: ['regex'] },
};

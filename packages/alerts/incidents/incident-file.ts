import * as z from 'zod';
import { compileMatchers } from '#alerts/routing/matchers.ts';
import { parseMatchers } from '#alerts/routing/parse-matchers.ts';
import { isOpsError } from '#core/errors.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import { DEFAULT_SETTINGS, type IncidentSettings } from './settings.ts';

const label = z.string().min(1, 'must not be empty');
const labels = z.array(label);

const MatchersField = z.string().transform((text, context) => {
  try {
    const { matchers } = parseMatchers(text);
    compileMatchers(matchers);
    return matchers;
  } catch (error) {
    if (!isOpsError(error, 'input')) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

const Declared = strictFields({
  name: label,
  matchers: z.array(MatchersField).optional(),
  labels: labels.optional(),
  window: durationField('1s', '1d').optional(),
});

/** The file `incidents.yaml`; every field is optional. */
const IncidentFields = strictFields({
  window: durationField('1s', '1d').optional(),
  span: durationField('1s', '30d').optional(),
  resolve_after: durationField('0s', '30d').optional(),
  min_alerts: z.int().min(1).max(10_000).optional(),
  group_labels: labels.optional(),
  ignore_labels: labels.optional(),
  link_bits: z.number().gt(0).max(1_000).optional(),
  correlations: z.array(Declared).max(100).optional(),
  upstream: z
    .array(strictFields({ label, of: label }))
    .max(20)
    .optional(),
  severities: labels.optional(),
  alert: z
    .union([z.boolean(), strictFields({ labels: z.record(label, z.string()).optional() })], 'takes true, false or {labels}')
    .optional(),
});

/** Reads a file of incident settings; what it leaves out is as in `DEFAULT_SETTINGS`. */
export const IncidentFile: z.ZodType<IncidentSettings> = IncidentFields.transform((file): IncidentSettings => {
  const windowMs = file.window ?? DEFAULT_SETTINGS.windowMs;
  return {
    windowMs,
    spanMs: Math.max(windowMs, file.span ?? DEFAULT_SETTINGS.spanMs),
    resolveAfterMs: file.resolve_after ?? DEFAULT_SETTINGS.resolveAfterMs,
    minAlerts: file.min_alerts ?? DEFAULT_SETTINGS.minAlerts,
    groupLabels: file.group_labels ?? DEFAULT_SETTINGS.groupLabels,
    ignoreLabels: file.ignore_labels ?? DEFAULT_SETTINGS.ignoreLabels,
    linkBits: file.link_bits ?? DEFAULT_SETTINGS.linkBits,
    declared: (file.correlations ?? []).map(({ name, matchers = [], labels: shared = [], window }) => ({
      name,
      matchers: matchers.flat(),
      labels: shared,
      windowMs: window ?? windowMs,
    })),
    upstream: file.upstream ?? DEFAULT_SETTINGS.upstream,
    severities: file.severities ?? DEFAULT_SETTINGS.severities,
    alertLabels: toAlertLabels(file.alert),
  };
});

function toAlertLabels(alert: z.infer<typeof IncidentFields>['alert']): IncidentSettings['alertLabels'] {
  if (alert === undefined || alert === false) return undefined;
  return alert === true ? {} : (alert.labels ?? {});
}

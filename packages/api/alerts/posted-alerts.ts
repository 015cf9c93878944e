import * as z from 'zod';
import { isValidLabelName } from '#alerts/routing/labels.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { OpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import { parseTimestamp } from './alertmanager-answers.ts';

const labels = z.record(z.string(), z.string());
/** Go sends times that nobody set as the year 1, or as 1970: both are undefined here. */
const time = z
  .string()
  .optional()
  .transform((text, context) => {
    if (text === undefined || text === '') return undefined;
    const ms = parseTimestamp(text);
    if (Number.isNaN(ms)) context.addIssue({ code: 'custom', message: `must be of type date-time: ${JSON.stringify(text.slice(0, 100))}` });
    return ms > 0 ? ms : undefined;
  });

/** Alertmanager's PostableAlerts. */
export const PostedAlerts = z.array(
  z.object({
    labels,
    annotations: labels.nullish(),
    startsAt: time,
    endsAt: time,
    generatorURL: z.string().max(8_192, 'has more than 8192 characters').optional(),
  }),
);
export type PostedAlerts = z.infer<typeof PostedAlerts>;
type PostedAlert = PostedAlerts[number];

const MAX_LABELS = 64;
const MAX_NAME_BYTES = 1_024;
const MAX_VALUE_BYTES = 8_192;
const MAX_ANNOTATION_BYTES = 65_536;

export interface ReadAlerts {
  readonly alerts: readonly ReceivedAlert[];
  /** Why others are left out, one for each. */
  readonly faults: readonly string[];
}

/** Posted alerts with what they left out filled in as Alertmanager does; each by itself is taken, or refused in its words. */
export function readPostedAlerts(posted: PostedAlerts, nowMs: number, resolveTimeoutMs: number): ReadAlerts {
  const alerts: ReceivedAlert[] = [];
  const faults: string[] = [];
  for (const one of posted) {
    const alert = complete(one, nowMs, resolveTimeoutMs);
    const fault = findFault(alert);
    if (fault === undefined) alerts.push(alert);
    else faults.push(fault);
  }
  return { alerts, faults };
}

/** The words of many refusals as one. */
export function joinFaults(faults: readonly string[]): OpsError {
  const shown = faults.slice(0, 20).join('; ');
  return new OpsError('input', faults.length > 20 ? `${shown}; and ${faults.length - 20} more` : shown);
}

function complete(posted: PostedAlert, nowMs: number, resolveTimeoutMs: number): ReceivedAlert {
  const { startsAt, endsAt, annotations, generatorURL = '' } = posted;
  return {
    labels: withoutEmpty(posted.labels),
    annotations: annotations ?? {},
    startsAtMs: startsAt ?? endsAt ?? nowMs,
    endsAtMs: endsAt ?? nowMs + resolveTimeoutMs,
    updatedAtMs: nowMs,
    generatorUrl: generatorURL,
    endIsTimeout: endsAt === undefined,
  };
}

/** A label without a value is no label. */
function withoutEmpty(set: LabelSet): LabelSet {
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== ''));
}

function findFault({ labels: own, annotations, startsAtMs, endsAtMs, generatorUrl }: ReceivedAlert): string | undefined {
  if (endsAtMs < startsAtMs) return 'start time must be before end time';
  const labelFault = findSetFault(own, MAX_VALUE_BYTES);
  if (labelFault) return `invalid label set: ${labelFault}`;
  if (Object.keys(own).length === 0) return 'at least one label pair required';
  const annotationFault = findSetFault(annotations, MAX_ANNOTATION_BYTES);
  if (annotationFault) return `invalid annotations: ${annotationFault}`;
  if (generatorUrl !== '' && !generatorUrl.startsWith('/') && !URL.canParse(generatorUrl)) return 'generatorURL must be of type uri';
  return undefined;
}

function findSetFault(set: LabelSet, maxValueBytes: number): string | undefined {
  const entries = Object.entries(set);
  if (entries.length > MAX_LABELS) return `there are ${entries.length}, at most ${MAX_LABELS} are taken`;
  for (const [name, value] of entries) {
    const shown = JSON.stringify(name.slice(0, 100));
    if (!isValidLabelName(name, 'fallback')) return `invalid name ${shown}`;
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `name ${shown} has more than ${MAX_NAME_BYTES} bytes`;
    if (!value.isWellFormed()) return `invalid value of ${shown}`;
    if (Buffer.byteLength(value) > maxValueBytes) return `the value of ${shown} has more than ${maxValueBytes} bytes`;
  }
  return undefined;
}

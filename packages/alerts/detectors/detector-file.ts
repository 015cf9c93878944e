import * as z from 'zod';
import { AnomalyFields, defaultKeepFiringMs, toAnomaly } from '#alerts/anomaly/anomaly-fields.ts';
import { conditionsOf } from '#alerts/pattern/pattern.ts';
import { PatternFields, toPattern } from '#alerts/pattern/pattern-fields.ts';
import { isLabelName } from '#alerts/rules/check-rule.ts';
import type { DetectorRule, RuleGroup } from '#alerts/rules/rule.ts';
import { MINUTE_MS } from '#core/time.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';
import type { Detector } from './detector.ts';

/** What checks a file's expressions and templates; each throws `input` for one that does not parse. */
export interface DetectorFileOptions {
  readonly checkExpr: (expr: string) => void;
  readonly checkTemplate: (alert: string, text: string) => void;
}

/** Most evaluations that a window may span: what is remembered of a label set grows with them. */
const MAX_EVALUATIONS = 2_000;

const name = z
  .string()
  .min(1, 'must not be empty')
  .refine((text) => text.isWellFormed(), 'is no well-formed text');
const labelName = name.refine((text) => isLabelName(text, {}) && text !== '__name__', 'is no name of a label');
const texts = z.record(labelName, z.string());

/** What a detector has whatever its kind. */
const common = {
  /** Name of the alert. */
  alert: name,
  for: durationField('0s').optional(),
  keep_firing_for: durationField('0s').optional(),
  labels: texts.optional(),
  annotations: z.record(name, z.string()).optional(),
};

const PatternMember = strictFields({ kind: z.literal('pattern'), ...common, ...PatternFields });

const AnomalyMember = strictFields({ kind: z.literal('anomaly'), ...common, ...AnomalyFields });

/** A detector as it is written; each kind brings its own fields. */
const Member = z.discriminatedUnion('kind', [PatternMember, AnomalyMember], 'kind takes: pattern, anomaly');
type Member = z.infer<typeof Member>;

const Group = strictFields({
  name,
  interval: durationField('1s').optional(),
  query_offset: durationField('0s').optional(),
  limit: z.int().min(0).optional(),
  labels: texts.optional(),
  annotations: z.record(name, z.string()).optional(),
  detectors: z.array(Member).min(1),
});
type Group = z.infer<typeof Group>;

/**
 * The schema of a file of detector groups, which reads it into groups as they are evaluated. Labels and annotations of a group are those of
 * its detectors, whose own win.
 */
export function detectorFileSchema(options: DetectorFileOptions): z.ZodType<readonly RuleGroup[]> {
  return strictFields({ groups: z.array(Group).optional() }).transform(({ groups = [] }, context) => {
    const known = new Set<string>();
    for (const [i, group] of groups.entries()) {
      const fail = (path: PropertyKey[], message: string) =>
        void context.addIssue({ code: 'custom', path: ['groups', i, ...path], message });
      if (known.has(group.name)) fail(['name'], `${JSON.stringify(group.name)} is repeated in the same file`);
      known.add(group.name);
      for (const [j, member] of group.detectors.entries())
        checkMember(options, group, member, (path, text) => fail(['detectors', j, ...path], text));
    }
    checkRecords(groups, (path, message) => void context.addIssue({ code: 'custom', path, message }));
    return context.issues.length > 0 ? z.NEVER : groups.map(toGroup);
  });
}

type Fail = (path: PropertyKey[], message: string) => void;

function checkMember(options: DetectorFileOptions, group: Group, member: Member, fail: Fail): void {
  const detector = toDetector(group, member);
  if (typeof detector === 'string') {
    fail([], detector);
    return;
  }
  for (const { field, expr } of exprsOf(detector)) {
    const reason = reasonOf(() => options.checkExpr(expr));
    if (reason !== undefined) fail([field], `could not parse expression ${JSON.stringify(expr.slice(0, 60))}: ${reason}`);
  }
  checkTimes(group, detector, fail);
  for (const field of ['labels', 'annotations'] as const) {
    for (const [label, text] of Object.entries({ ...group[field], ...member[field] })) {
      const reason = reasonOf(() => options.checkTemplate(member.alert, text));
      if (reason !== undefined) fail([field], `${label}: ${reason}`);
    }
  }
}

function intervalOf({ interval }: Group): number {
  return interval ?? MINUTE_MS;
}

function toGroup(group: Group): RuleGroup {
  const { name: groupName, interval, query_offset: queryOffsetMs, limit = 0, labels = {} } = group;
  const rules = group.detectors.map((member) => toRule(group, member));
  return { name: groupName, intervalMs: interval, queryOffsetMs, limit, labels, rules };
}

/** The detector that is meant, or in words why there is none. */
function toDetector(group: Group, member: Member): Detector | string {
  if (member.kind === 'anomaly') return toAnomaly(member, member.alert);
  const pattern = toPattern(member, intervalOf(group));
  return typeof pattern === 'string' ? pattern : { kind: member.kind, by: member.by, pattern };
}

/** Every expression of a detector, and the field that it stands in. */
function exprsOf(detector: Detector): { readonly field: string; readonly expr: string }[] {
  if (detector.kind === 'anomaly') return [{ field: 'expr', expr: detector.expr }];
  return conditionsOf(detector.pattern).map(({ expr }) => ({ field: detector.pattern.form, expr }));
}

function checkTimes(group: Group, detector: Detector, fail: Fail): void {
  if (detector.kind === 'anomaly') {
    const { missingAfterMs = 0, forgetAfterMs } = detector;
    if (forgetAfterMs <= missingAfterMs) fail(['forget_after'], 'must be longer than missing_after');
    if (forgetAfterMs < intervalOf(group)) fail(['forget_after'], 'must not be shorter than the interval of the group');
    return;
  }
  const { pattern } = detector;
  if ('windowMs' in pattern && pattern.windowMs > MAX_EVALUATIONS * intervalOf(group)) {
    fail([pattern.form], `spans more than ${MAX_EVALUATIONS} evaluations; take a shorter window or a longer interval`);
  }
}

/** Two detectors that record under one name would write over each other's band. */
function checkRecords(groups: readonly Group[], fail: Fail): void {
  const taken = new Set<string>();
  for (const [i, group] of groups.entries()) {
    for (const [j, member] of group.detectors.entries()) {
      if (member.kind !== 'anomaly') continue;
      const { record } = toAnomaly(member, member.alert);
      if (taken.has(record))
        fail(['groups', i, 'detectors', j, 'record'], `${record} is recorded by another detector of this file; name another one`);
      taken.add(record);
    }
  }
}

function toRule(group: Group, member: Member): DetectorRule {
  const detector = toDetector(group, member);
  if (typeof detector === 'string') throw new Error(detector); // checked before
  const keepFiringForMs = member.kind === 'anomaly' ? defaultKeepFiringMs(intervalOf(group)) : 0;
  return {
    kind: 'detector',
    name: member.alert,
    expr: exprsOf(detector)[0]?.expr ?? '',
    detector,
    forMs: member.for ?? 0,
    keepFiringForMs: member.keep_firing_for ?? keepFiringForMs,
    labels: { ...group.labels, ...member.labels },
    annotations: { ...group.annotations, ...member.annotations },
  };
}

/** Why something cannot be taken; what is no `input` error is a defect and goes on. */
function reasonOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if ((error as { kind?: unknown }).kind === 'input') return (error as Error).message;
    throw error;
  }
}

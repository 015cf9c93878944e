import * as z from 'zod';
import { conditionsOf } from '#alerts/pattern/pattern.ts';
import { PatternFields, toPattern } from '#alerts/pattern/pattern-fields.ts';
import { isLabelName } from '#alerts/rules/check-rule.ts';
import type { DetectorRule, RuleGroup } from '#alerts/rules/rule.ts';
import { MINUTE_MS } from '#core/time.ts';
import { durationField, strictFields } from '#model/strict-fields.ts';

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

/** A detector as it is written; each kind brings its own fields. */
const Member = z.discriminatedUnion('kind', [PatternMember], 'kind takes: pattern');

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
    return context.issues.length > 0 ? z.NEVER : groups.map(toGroup);
  });
}

type Fail = (path: PropertyKey[], message: string) => void;

function checkMember(options: DetectorFileOptions, group: Group, member: Group['detectors'][number], fail: Fail): void {
  const pattern = toPattern(member, intervalOf(group));
  if (typeof pattern === 'string') {
    fail([], pattern);
    return;
  }
  for (const { expr } of conditionsOf(pattern)) {
    const reason = reasonOf(() => options.checkExpr(expr));
    if (reason !== undefined) fail([pattern.form], `could not parse expression ${JSON.stringify(expr.slice(0, 60))}: ${reason}`);
  }
  if ('windowMs' in pattern && pattern.windowMs > MAX_EVALUATIONS * intervalOf(group)) {
    fail([pattern.form], `spans more than ${MAX_EVALUATIONS} evaluations; take a shorter window or a longer interval`);
  }
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

function toRule(group: Group, member: Group['detectors'][number]): DetectorRule {
  const pattern = toPattern(member, intervalOf(group));
  if (typeof pattern === 'string') throw new Error(pattern); // checked before
  return {
    kind: 'detector',
    name: member.alert,
    expr: conditionsOf(pattern)[0]?.expr ?? '',
    detector: { kind: member.kind, by: member.by, pattern },
    forMs: member.for ?? 0,
    keepFiringForMs: member.keep_firing_for ?? 0,
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

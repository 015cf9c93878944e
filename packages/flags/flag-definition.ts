import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';

const MAX_KEY_BYTES = 256;
const MAX_VARIANTS = 500;
const MAX_STEPS = 100;

const Metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()], { error: 'takes text, a number, true or false' }));
export type Metadata = Readonly<Record<string, string | number | boolean>>;

const Time = z.iso.datetime({ offset: true, error: 'takes a time such as 2026-11-27T09:00:00Z' });

const Percentage = z.number().min(0).max(100).multipleOf(0.001, 'has at most three digits after the point');

/** A share of a rollout that begins at a time, and may end at one. */
export const RolloutStep = z.strictObject({ from: Time, until: Time.optional(), percentage: Percentage });
export type RolloutStep = z.infer<typeof RolloutStep>;

/** Ours beside flagd's: who gets a variant where targeting decides nothing. */
export const Rollout = z.strictObject({
  /** What those get who are in; the others get the default variant. */
  variant: z.string().min(1),
  percentage: Percentage,
  /** What people are told apart by: a path into the context, the targeting key if none is said. */
  by: z.string().min(1).max(200).optional(),
  /** Put before it and hashed; the flag's key if none is said. Flags of one salt reach the same people. */
  salt: z.string().max(200).optional(),
  /** The last one that holds at the time of evaluation has the say over `percentage`. */
  steps: z.array(RolloutStep).max(MAX_STEPS).optional(),
});

/** A rule of JsonLogic as it was parsed, handed on untouched: a copy would lose what is called `__proto__`. */
export const Rule = z.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  {
    error: 'takes an object: a rule of JsonLogic',
  },
);

/** One flag in flagd's form (flags.json of flagd-schemas), with a rollout and a time of its own as additions. Other fields are kept. */
export const FlagDefinition = z.looseObject({
  state: z.enum(['ENABLED', 'DISABLED']),
  variants: z.record(z.string().min(1), z.custom<Json>()),
  defaultVariant: z.string().nullish(),
  targeting: Rule.optional(),
  metadata: Metadata.optional(),
  rollout: Rollout.optional(),
  /** Before and after these the flag gives its default variant to all. */
  activeFrom: Time.optional(),
  activeUntil: Time.optional(),
  /** Rules that its targeting refers to, where it is in no set that has them. */
  $evaluators: z.record(z.string().min(1), Rule).optional(),
});
export type FlagDefinition = z.infer<typeof FlagDefinition>;

/** What a flag is called: 1 to 256 bytes, and no name that objects have. */
export function checkFlagKey(key: string): void {
  const why =
    key === '' || Buffer.byteLength(key) > MAX_KEY_BYTES
      ? `takes 1 to ${MAX_KEY_BYTES} bytes`
      : !key.isWellFormed() || hasControls(key)
        ? 'must be text without control characters'
        : key === '__proto__'
          ? 'cannot be used'
          : undefined;
  if (why) throw new OpsError('input', `the name of a flag ${why}; got ${JSON.stringify(key.slice(0, 60))}`);
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 || text.charCodeAt(i) === 0x7f) return true;
  return false;
}

/** A flag as it was parsed from JSON; `input` with a line for each thing that is wrong, behind `path`. */
export function readFlagDefinition(value: unknown, path: string): FlagDefinition {
  const parsed = FlagDefinition.safeParse(value, { reportInput: false });
  if (!parsed.success) throw new OpsError('input', describeIssues(parsed.error, path));
  const flag = parsed.data;
  const problems = [...variantProblems(value as { variants: object }, flag), ...rolloutProblems(flag)];
  if (problems.length > 0) throw new OpsError('input', problems.map((problem) => `${path}${problem}`).join('\n'));
  return flag;
}

/** zod's issues, a line each. */
export function describeIssues({ issues }: z.ZodError, path: string): string {
  return issues.map((issue) => `${[path, ...issue.path.map(String)].filter((part) => part !== '').join('.')}: ${issue.message}`).join('\n');
}

function variantProblems(raw: { readonly variants: object }, { variants, defaultVariant }: FlagDefinition): string[] {
  const names = Object.keys(raw.variants);
  if (names.length === 0) return ['.variants: has no variant'];
  if (names.length > MAX_VARIANTS) return [`.variants: has more than ${MAX_VARIANTS} variants`];
  if (names.includes('__proto__')) return ['.variants: __proto__ cannot be the name of a variant'];
  const kinds = new Set(Object.values(variants).map(kindOf));
  const problems: string[] = [];
  if (kinds.size > 1 || kinds.has('other'))
    problems.push(`.variants: are all true or false, all numbers, all texts or all objects; got ${[...kinds].join(', ')}`);
  if (typeof defaultVariant === 'string' && !names.includes(defaultVariant))
    problems.push(`.defaultVariant: ${JSON.stringify(defaultVariant)} is no variant`);
  return problems;
}

function kindOf(value: Json): string {
  if (typeof value !== 'object') return typeof value;
  return value === null || Array.isArray(value) ? 'other' : 'object';
}

function rolloutProblems({ variants, rollout, activeFrom, activeUntil }: FlagDefinition): string[] {
  const problems: string[] = [];
  if (rollout && !Object.hasOwn(variants, rollout.variant))
    problems.push(`.rollout.variant: ${JSON.stringify(rollout.variant)} is no variant`);
  for (const [i, { from, until }] of (rollout?.steps ?? []).entries())
    if (until !== undefined && Date.parse(until) <= Date.parse(from)) problems.push(`.rollout.steps[${i}]: ends before it begins`);
  if (activeFrom !== undefined && activeUntil !== undefined && Date.parse(activeUntil) <= Date.parse(activeFrom))
    problems.push('.activeUntil: is before activeFrom');
  return problems;
}

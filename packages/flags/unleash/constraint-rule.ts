import { isOpsError } from '#core/errors.ts';
import { compileSearch } from '#core/re2.ts';
import { isRange, parseTime } from '#flags/logic/additions.ts';
import { readVersion } from '#flags/logic/sem-ver.ts';
import type { Json } from '#model/json.ts';
import type { Constraint } from './unleash-state.ts';

const numeric: Readonly<Record<string, string>> = { NUM_EQ: '===', NUM_GT: '>', NUM_GTE: '>=', NUM_LT: '<', NUM_LTE: '<=' };
const versions: Readonly<Record<string, string>> = { SEMVER_EQ: '=', SEMVER_GT: '>', SEMVER_GTE: '>=', SEMVER_LT: '<', SEMVER_LTE: '<=' };
const dates: Readonly<Record<string, string>> = { DATE_AFTER: '>', DATE_BEFORE: '<' };
const texts: Readonly<Record<string, (text: Json, part: string) => Json>> = {
  STR_STARTS_WITH: (text, part) => ({ starts_with: [text, part] }),
  STR_ENDS_WITH: (text, part) => ({ ends_with: [text, part] }),
  STR_CONTAINS: (text, part) => ({ in: [part, text] }),
};

/** A field of Unleash's context. */
export const field = (name: string): Json => ({ unleash_field: name });

/** True if every rule is; without rules, true. */
export function allOf(rules: readonly Json[]): Json {
  if (rules.includes(false)) return false;
  const open = rules.filter((rule) => rule !== true);
  return open.length > 1 ? { and: open } : (open[0] ?? true);
}

/** True if one rule is; without rules, false. */
export function anyOf(rules: readonly Json[]): Json {
  const open = rules.filter((rule) => rule !== false);
  return open.length > 1 ? { or: open } : (open[0] ?? false);
}

/** Unleash's constraint as a rule. What is unknown or does not read is never met, inverted or not; `note` is told of it. */
export function constraintRule(constraint: Constraint, note: (why: string) => void): Json {
  const rule = plainRule(constraint);
  if (rule === undefined) {
    note(`the constraint ${constraint.operator} of ${constraint.contextName} has no value that reads, or is unknown: it is never met`);
    return false;
  }
  return constraint.inverted ? { '!': [rule] } : rule;
}

function plainRule({ contextName, operator, values, value, caseInsensitive }: Constraint): Json | undefined {
  const subject = field(contextName);
  const wanted = values.map((each) => each.trim()).filter((each) => each !== '');
  const text = value === null || value === undefined ? undefined : String(value);
  if (operator === 'IN') return { in: [subject, wanted] };
  if (operator === 'NOT_IN') return { '!': [{ in: [subject, wanted] }] };
  const ofText = texts[operator];
  if (ofText) {
    const folded = caseInsensitive ? { lower_case: [subject] } : subject;
    return anyOf(values.map((part) => ofText(folded, caseInsensitive ? part.toLowerCase() : part)));
  }
  if (operator === 'REGEX') return regexRule(subject, text, caseInsensitive === true);
  if (operator === 'IN_CIDR') return { in_cidr: [subject, wanted.filter(isRange)] };
  if (numeric[operator]) return compareRule({ number: [subject] }, numeric[operator], text?.trim() ? finite(Number(text)) : undefined);
  if (dates[operator]) return compareRule({ time_ms: [subject] }, dates[operator], parseTime(text));
  if (versions[operator]) return versionRule(subject, versions[operator], text);
  return undefined;
}

const finite = (value: number) => (Number.isFinite(value) ? value : undefined);

/** What is missing or does not read meets no comparison; in JsonLogic it would count as 0. */
function compareRule(subject: Json, operator: string, value: number | undefined): Json | undefined {
  return value === undefined ? undefined : { and: [{ '!==': [subject, null] }, { [operator]: [subject, value] }] };
}

/** Unleash reads versions as semver.org has them, in full and without a leading v, which sem_ver would take. */
function versionRule(subject: Json, operator: string, text: string | undefined): Json | undefined {
  if (text === undefined || !/^\d+\.\d+\.\d+/.test(text) || readVersion(text) === undefined) return undefined;
  return { and: [{ regex_match: [subject, '^[0-9]+[.][0-9]+[.][0-9]+'] }, { sem_ver: [subject, operator, text] }] };
}

function regexRule(subject: Json, pattern: string | undefined, isCaseInsensitive: boolean): Json | undefined {
  if (pattern === undefined) return undefined;
  const source = isCaseInsensitive ? `(?i)${pattern}` : pattern;
  try {
    compileSearch(source);
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return undefined;
  }
  return { regex_match: [subject, source] };
}

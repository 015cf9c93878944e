import { createHash } from 'node:crypto';
import { OpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import { compileMatcher } from '#model/matcher.ts';
import { parseSelector } from '#query/promql/parse-selector.ts';
import { quoteText } from '#query/promql/quote.ts';

/** What /api/v1/rules is asked for; what is left out keeps everything. */
export interface RuleParams {
  readonly kind: 'alert' | 'record' | undefined;
  readonly isRule: (name: string) => boolean;
  readonly isGroup: (name: string) => boolean;
  readonly isFile: (file: string) => boolean;
  readonly matches: (labels: LabelSet) => boolean;
  readonly withAlerts: boolean;
  /** Most groups of an answer; undefined for all. */
  readonly limit: number | undefined;
  readonly nextToken: string;
}

/** The parameters of /api/v1/rules; `input` in Prometheus' words. */
export function readRuleParams(form: URLSearchParams): RuleParams {
  const kind = (form.get('type') ?? '').toLowerCase();
  if (kind !== '' && kind !== 'alert' && kind !== 'record') return refuse('type', `not supported value ${quoteText(kind)}`);
  return {
    kind: kind === '' ? undefined : kind,
    isRule: among(form.getAll('rule_name[]')),
    isGroup: among(form.getAll('rule_group[]')),
    isFile: among(form.getAll('file[]')),
    matches: matchAny(form.getAll('match[]')),
    withAlerts: !readFlag(form, 'exclude_alerts'),
    ...readPage(form),
  };
}

/** Names a group to go on from. */
export function tokenOf(file: string, group: string): string {
  return createHash('sha1').update(`${file};${group}`).digest('hex');
}

/** Refuses a parameter as Prometheus does. */
export function refuse(name: string, message: string): never {
  throw new OpsError('input', `invalid parameter ${quoteText(name)}: ${message}`);
}

function among(names: readonly string[]): (name: string) => boolean {
  const wanted = new Set(names);
  return (name) => wanted.size === 0 || wanted.has(name);
}

/** A rule is meant whose labels fit any of the selectors; templates count as they are written. */
function matchAny(selectors: readonly string[]): (labels: LabelSet) => boolean {
  const sets = selectors.map((text) => {
    try {
      return parseSelector(text).map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
    } catch (error) {
      throw error instanceof OpsError ? new OpsError('input', `invalid parameter "match[]": ${error.message}`, { cause: error }) : error;
    }
  });
  return (labels) => sets.length === 0 || sets.some((set) => set.every(({ name, test }) => test(labels[name] ?? '')));
}

function readFlag(form: URLSearchParams, name: string): boolean {
  const text = form.get(name) ?? '';
  if (['', 'false', '0', 'f', 'F', 'FALSE', 'False'].includes(text)) return false;
  if (['true', '1', 't', 'T', 'TRUE', 'True'].includes(text)) return true;
  return refuse(name, `strconv.ParseBool: parsing ${quoteText(text)}: invalid syntax`);
}

function readPage(form: URLSearchParams): Pick<RuleParams, 'limit' | 'nextToken'> {
  const text = form.get('group_limit') ?? '';
  const nextToken = form.get('group_next_token') ?? '';
  if (text === '') {
    if (nextToken !== '') refuse('group_next_token', 'group_limit needs to be present in order to paginate over the groups');
    return { limit: undefined, nextToken };
  }
  const limit = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(limit) || limit > 2 ** 31 - 1)
    refuse('group_limit', `group_limit needs to be a valid number: strconv.ParseInt: parsing ${quoteText(text)}: invalid syntax`);
  if (limit <= 0) refuse('group_limit', 'group_limit needs to be greater than 0');
  return { limit, nextToken };
}

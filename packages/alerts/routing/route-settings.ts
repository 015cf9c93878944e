import * as z from 'zod';
import { quoteGo } from '#alerts/go-quote.ts';
import { OpsError } from '#core/errors.ts';
import type { Matcher } from '#model/matcher.ts';
import { duration, flag, list, refuse, settings, text, textMap, texts } from './config-fields.ts';
import type { InhibitRule } from './inhibition.ts';
import { isClassicLabelName, isValidLabelName } from './labels.ts';
import { compileRegex, sortMatchers } from './matchers.ts';
import { type MatcherMode, parseMatchers } from './parse-matchers.ts';
import type { RouteConfig } from './route-tree.ts';

/** A line of matchers that the two syntaxes read differently, or that only the old one takes. */
export interface MatcherWarning {
  readonly input: string;
  readonly kind: 'incompatible' | 'disagreement';
  /** The same in a form that both read alike. */
  readonly suggestion: string;
}

/** A list of lines, each of any number of matchers. */
function matcherLines(mode: MatcherMode, warn: (warning: MatcherWarning) => void) {
  return list(z.string(), 'string').transform((lines, context): readonly Matcher[] => {
    try {
      return lines.flatMap((input) => {
        const { matchers, warning } = parseMatchers(input, mode);
        if (warning) warn({ input, ...warning });
        return matchers;
      });
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      refuse(context, error.message);
      return z.NEVER;
    }
  });
}

/** Patterns by label; a pattern that is missing is a fault, other than a text. */
const regexMap = z.record(z.string(), z.string().nullable()).superRefine((patterns, context) => {
  for (const [name, pattern] of Object.entries(patterns)) {
    try {
      if (pattern !== null) compileRegex(pattern);
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      return refuse(context, error.message);
    }
    if (!isClassicLabelName(name)) return refuse(context, `invalid label name ${quoteGo(name)}`);
    if (pattern === null) return refuse(context, `invalid regexp value for ${quoteGo(name)}`);
  }
});

type RegexMap = z.infer<typeof regexMap>;

/** The old fields and the new one together. An old pattern keeps its anchors: they are part of the route's key. */
function joinMatchers(match: Readonly<Record<string, string>>, matchRe: RegexMap | undefined, matchers: readonly Matcher[]): Matcher[] {
  return sortMatchers([
    ...Object.entries(match).map(([name, value]): Matcher => ({ name, op: '=', value })),
    ...Object.entries(matchRe ?? {}).map(([name, value]): Matcher => ({ name, op: '=~', value: `^(?:${value})$` })),
    ...matchers,
  ]);
}

function findBadName(names: readonly string[], isValid: (name: string) => boolean, where = ''): string | undefined {
  const bad = names.find((name) => !isValid(name));
  return bad === undefined ? undefined : `invalid label name ${quoteGo(bad)}${where}`;
}

/** A node of the routing tree and all below it. */
export function routeSettings(mode: MatcherMode, warn: (warning: MatcherWarning) => void): z.ZodType<RouteConfig> {
  const isValid = (name: string) => isValidLabelName(name, mode);
  const shape = settings('config.plain', {
    receiver: text(),
    group_by: list(z.string(), 'string').optional(),
    match: textMap(),
    match_re: regexMap.optional(),
    matchers: matcherLines(mode, warn).default([]),
    mute_time_intervals: texts(),
    active_time_intervals: texts(),
    continue: flag(),
    routes: list(
      z.lazy(() => route),
      '*config.Route',
    ).default([]),
    group_wait: duration().optional(),
    group_interval: duration().optional(),
    repeat_interval: duration().optional(),
    labels: textMap(),
  });
  const findFault = (c: z.infer<typeof shape>) => {
    const names = c.group_by?.filter((name) => name !== '...') ?? [];
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    return (
      findBadName(Object.keys(c.match), isClassicLabelName) ??
      findBadName(Object.keys(c.labels), isValid, ' in route labels') ??
      findBadName(names, isValid, ' in group_by list') ??
      (names.length > 0 && c.group_by?.includes('...')
        ? 'cannot have wildcard group_by (`...`) and other labels at the same time'
        : undefined) ??
      (twice === undefined ? undefined : `duplicated label ${quoteGo(twice)} in group_by`) ??
      (c.group_interval === 0 ? 'group_interval cannot be zero' : undefined) ??
      (c.repeat_interval === 0 ? 'repeat_interval cannot be zero' : undefined)
    );
  };
  const route: z.ZodType<RouteConfig> = shape
    .superRefine((c, context) => {
      const fault = findFault(c);
      if (fault) refuse(context, fault);
    })
    .transform((c) => ({
      receiver: c.receiver || undefined,
      groupBy: c.group_by?.includes('...') ? undefined : c.group_by,
      groupByAll: c.group_by?.includes('...') ?? false,
      matchers: joinMatchers(c.match, c.match_re, c.matchers),
      continue: c.continue,
      groupWaitMs: c.group_wait,
      groupIntervalMs: c.group_interval,
      repeatIntervalMs: c.repeat_interval,
      muteTimeIntervals: c.mute_time_intervals,
      activeTimeIntervals: c.active_time_intervals,
      labels: c.labels,
      routes: c.routes,
    }));
  return route;
}

/** One inhibition rule, the old fields and the new ones. */
export function inhibitRuleSettings(mode: MatcherMode, warn: (warning: MatcherWarning) => void) {
  return settings('common.plain', {
    name: text(),
    source_match: textMap(),
    source_match_re: regexMap.optional(),
    source_matchers: matcherLines(mode, warn).default([]),
    target_match: textMap(),
    target_match_re: regexMap.optional(),
    target_matchers: matcherLines(mode, warn).default([]),
    equal: texts(),
  })
    .superRefine((c, context) => {
      const fault =
        findBadName([...Object.keys(c.source_match), ...Object.keys(c.target_match)], isClassicLabelName) ??
        findBadName(c.equal, (name) => isValidLabelName(name, mode), ' in equal list');
      if (fault) refuse(context, fault);
    })
    .transform(
      (c): InhibitRule => ({
        name: c.name || undefined,
        sourceMatchers: joinMatchers(c.source_match, c.source_match_re, c.source_matchers),
        targetMatchers: joinMatchers(c.target_match, c.target_match_re, c.target_matchers),
        equal: c.equal,
      }),
    );
}

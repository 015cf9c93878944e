import type { Matcher } from '#model/matcher.ts';
import { compileMatcher } from '#model/matcher.ts';
import type { Series } from '#model/series.ts';
import { executionError } from '#query/query-errors.ts';
import type { Expr } from './ast.ts';
import { escapeRegex } from './escape-regex.ts';
import type { Call, Evaluation, LateSelection } from './evaluation.ts';
import { type Frame, newFrame, nextRow } from './frame.ts';
import { readSampleTimes } from './instant-selector.ts';
import { formatLabels, fullKey, labelValue, withLabel } from './labels.ts';
import { fixedTime } from './steps.ts';

/** The labels by which a series is the info series of another. */
const identifyingLabels = ['instance', 'job'] as const;

/**
 * info(): adds the labels of the info series (target_info unless the second argument names others) with the same instance
 * and job, at each step those of the latest sample. The time of a pinned or shifted first argument holds for them too.
 */
export async function evalInfo(evaluation: Evaluation, call: Call, base: Frame): Promise<Frame> {
  const selector = call.args[1]?.kind === 'vectorSelector' ? call.args[1] : undefined;
  const named = (selector?.matchers ?? []).filter((matcher) => matcher.name === '__name__');
  const dataMatchers = (selector?.matchers ?? []).filter((matcher) => matcher.name !== '__name__');
  const nameMatchers = effectiveNames(named);
  const isInfo = nameMatchers.map(compileMatcher);
  const plain = base.series.map((series) => isInfo.every((matches) => matches(series.metric)));
  const info = await readInfo(evaluation, call.args[0] as Expr, base, plain, [...dataMatchers, ...nameMatchers]);
  return enrich(evaluation, base, plain, info, dataMatchers);
}

/** Without a positive name, any `*_info` but those excluded; without a name at all, target_info. */
function effectiveNames(matchers: readonly Matcher[]): Matcher[] {
  if (matchers.some(({ op }) => op === '=' || op === '=~')) return [...matchers];
  if (matchers.length > 0) return [{ name: '__name__', op: '=~', value: '.+_info' }, ...matchers];
  return [{ name: '__name__', op: '=', value: 'target_info' }];
}

/** The info series of all series that want some, with the times of their samples as values. */
async function readInfo(
  evaluation: Evaluation,
  arg: Expr,
  base: Frame,
  plain: readonly boolean[],
  matchers: readonly Matcher[],
): Promise<Frame> {
  const { steps, lookbackMs } = evaluation;
  const identity: Matcher[] = [];
  for (const name of identifyingLabels) {
    const values = new Set<string>();
    base.series.forEach((series, row) => {
      const value = labelValue(series, name);
      if (plain[row] !== true && value !== '') values.add(value);
    });
    if (values.size > 0) identity.push({ name, op: '=~', value: [...values].map(escapeRegex).join('|') });
  }
  if (identity.length === 0) return newFrame(steps, 0);
  const { at, offsetMs } = timeOf(arg);
  const times = at === undefined ? steps.times.map((time) => time - offsetMs) : new Float64Array(steps.count).fill(at - offsetMs);
  const selection: LateSelection = {
    matchers: [...identity, ...matchers],
    startMs: (times[0] as number) - lookbackMs + 1,
    endMs: times[times.length - 1] as number,
    func: '',
  };
  return readSampleTimes(evaluation, await evaluation.select(selection), times);
}

/** When the first selector inside an expression looks: the innermost `@` around it, and the offsets up to there. */
function timeOf(expr: Expr): { at: number | undefined; offsetMs: number } {
  return findSelectorTime(expr, []) ?? { at: undefined, offsetMs: 0 };
}

function findSelectorTime(
  expr: Expr,
  around: readonly Extract<Expr, { kind: 'subquery' }>[],
): { at: number | undefined; offsetMs: number } | undefined {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return undefined;
    case 'vectorSelector': {
      let { at, offsetMs } = expr.modifiers;
      for (let i = around.length - 1; at === undefined && i >= 0; i--) {
        const { modifiers } = around[i] as (typeof around)[number];
        offsetMs += modifiers.offsetMs;
        at = modifiers.at;
      }
      return { at: at === undefined ? undefined : fixedTime(at), offsetMs };
    }
    case 'matrixSelector':
      return findSelectorTime(expr.vector, around);
    case 'subquery':
      return findSelectorTime(expr.expr, [...around, expr]);
    case 'call':
      return firstOf(expr.args, around);
    case 'aggregate':
      return firstOf(expr.param ? [expr.param, expr.expr] : [expr.expr], around);
    case 'binary':
      return firstOf([expr.lhs, expr.rhs], around);
    case 'unary':
    case 'parens':
      return findSelectorTime(expr.expr, around);
  }
}

function firstOf(exprs: readonly Expr[], around: readonly Extract<Expr, { kind: 'subquery' }>[]): ReturnType<typeof findSelectorTime> {
  for (const expr of exprs) {
    const found = findSelectorTime(expr, around);
    if (found) return found;
  }
  return undefined;
}

/** For each metric of info series and step, the row of each identity's latest sample. */
type InfoIndex = ReadonlyMap<string, ReadonlyMap<string, Int32Array>>;

function indexInfo(info: Frame): InfoIndex {
  const n = info.steps.count;
  const index = new Map<string, Map<string, Int32Array>>();
  info.series.forEach((series, row) => {
    const byIdentity = index.get(series.metric) ?? new Map<string, Int32Array>();
    index.set(series.metric, byIdentity);
    const key = identityOf(series);
    const rows = byIdentity.get(key) ?? new Int32Array(n).fill(-1);
    byIdentity.set(key, rows);
    for (let i = 0; i < n; i++) {
      if (info.present[row * n + i] !== 1) continue;
      const known = rows[i] as number;
      if (known >= 0 && !isNewer(info, row, known, i)) continue;
      rows[i] = row;
    }
  });
  return index;
}

function isNewer(info: Frame, row: number, known: number, step: number): boolean {
  const n = info.steps.count;
  const time = info.values[row * n + step] as number;
  const knownTime = info.values[known * n + step] as number;
  if (time !== knownTime) return time > knownTime;
  const [a, b] = [info.series[known] as Series, info.series[row] as Series].map(formatLabels);
  throw executionError(`found duplicate series for info metric: existing ${a} @ ${knownTime}, new ${b} @ ${time}`);
}

function identityOf(series: Series): string {
  return JSON.stringify(identifyingLabels.map((name) => labelValue(series, name)));
}

async function enrich(
  evaluation: Evaluation,
  base: Frame,
  plain: readonly boolean[],
  info: Frame,
  dataMatchers: readonly Matcher[],
): Promise<Frame> {
  const { steps, pace } = evaluation;
  const n = steps.count;
  const index = indexInfo(info);
  const wanted = dataMatchers.length > 0 ? new Set(dataMatchers.map(({ name }) => name)) : undefined;
  const mayLack = dataMatchers.every((matcher) => compileMatcher(matcher)(''));
  const result = newFrame(steps, base.series.length);
  const rows = new Map<string, number>();
  for (let r = 0; r < base.series.length; r++) {
    const series = base.series[r] as Series;
    const sources = plain[r] === true ? [] : [...index.values()].flatMap((byIdentity) => byIdentity.get(identityOf(series)) ?? []);
    const bases = new Map<string, number>();
    let before: string | undefined;
    let to = 0;
    for (let i = 0; i < n; i++) {
      if (base.present[r * n + i] !== 1) continue;
      const found = presentSources(sources, i);
      if (found === '' && plain[r] !== true && !mayLack) continue;
      if (found !== before) {
        before = found;
        to =
          bases.get(found) ?? resultBase(evaluation, result, rows, addInfoLabels(series, found, info, wanted), base.dropName[r] as boolean);
        bases.set(found, to);
      }
      if (result.present[to + i] === 1) throw executionError('vector cannot contain metrics with the same labelset');
      result.present[to + i] = 1;
      result.values[to + i] = base.values[r * n + i] as number;
    }
    if (pace.isTurnDue(n * (1 + sources.length))) await pace.yieldTurn();
  }
  return result;
}

/** The rows of the info series that are there at a step, in one text. */
function presentSources(sources: readonly Int32Array[], step: number): string {
  let found = '';
  for (const source of sources) if ((source[step] as number) >= 0) found += `${source[step]} `;
  return found;
}

function addInfoLabels(series: Series, rows: string, info: Frame, wanted: ReadonlySet<string> | undefined): Series {
  const added = new Map<string, string>();
  for (const row of rows.split(' ').slice(0, -1)) {
    for (const { name, value } of (info.series[Number(row)] as Series).labels) {
      if (wanted !== undefined && !wanted.has(name)) continue;
      if (added.has(name) && added.get(name) !== value) throw executionError(`conflicting label: ${name}`);
      if (labelValue(series, name) === '') added.set(name, value);
    }
  }
  let enriched = series;
  for (const [name, value] of added) enriched = withLabel(enriched, name, value);
  return enriched;
}

function resultBase({ pace, steps }: Evaluation, result: Frame, rows: Map<string, number>, series: Series, dropName: boolean): number {
  const key = fullKey(series) + (dropName ? '-' : '+');
  const known = rows.get(key);
  if (known !== undefined) return known;
  pace.hold(steps.count);
  result.points += steps.count;
  const base = nextRow(result);
  result.series.push(series);
  result.dropName.push(dropName);
  rows.set(key, base);
  return base;
}

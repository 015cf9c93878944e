import { formatDuration } from '#core/duration.ts';
import type { Matcher } from '#model/matcher.ts';
import type { DurationExpr, Expr, TimeModifiers, VectorMatching } from './ast.ts';
import { formatDecimal, formatShortest } from './format-number.ts';
import { quoteText } from './quote.ts';

type Of<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const DURATION_CALLS = { step: 'step', range: 'range', min: 'min_of', max: 'max_of' } as const;

/**
 * The expression as Prometheus prints it: one line, canonical spaces, durations in units, matchers in order. Reading the result gives the
 * same expression.
 */
export function formatExpr(expr: Expr): string {
  return formatWith(expr, formatExpr);
}

/** As formatExpr, with the parts of the expression printed by `part`: lets a caller keep what it has printed before. */
export function formatWith(expr: Expr, part: (expr: Expr) => string): string {
  switch (expr.kind) {
    case 'number':
      return expr.isDuration ? formatSeconds(expr.value) : formatDecimal(expr.value);
    case 'string':
      return quoteText(expr.value);
    case 'parens':
      return `(${part(expr.expr)})`;
    case 'unary':
      return `${expr.op}${part(expr.expr)}`;
    case 'call':
      return `${expr.func}(${expr.args.map(part).join(', ')})`;
    case 'aggregate':
      return `${formatAggregator(expr)}(${expr.param === undefined ? '' : `${part(expr.param)}, `}${part(expr.expr)})`;
    case 'binary':
      return `${part(expr.lhs)} ${formatOperator(expr)} ${part(expr.rhs)}`;
    case 'subquery':
      return `${part(expr.expr)}${formatSubqueryRange(expr)}`;
    case 'vectorSelector':
      return `${formatSeries(expr)}${formatAt(expr.modifiers)}${formatExtended(expr)}${formatOffset(expr.modifiers)}`;
    case 'matrixSelector':
      return formatMatrix(expr);
  }
}

function formatSeconds(seconds: number): string {
  return formatDuration(Math.round(seconds * 1000));
}

function formatLabels(labels: readonly string[]): string {
  return labels.map((label) => (PLAIN_LABEL.test(label) ? label : quoteText(label))).join(', ');
}

/** An aggregation in front of its arguments: `sum by (job) `. */
export function formatAggregator(expr: Of<'aggregate'>): string {
  if (expr.without) return `${expr.op} without (${formatLabels(expr.grouping)}) `;
  return expr.grouping.length > 0 ? `${expr.op} by (${formatLabels(expr.grouping)}) ` : expr.op;
}

/** A binary operator with its modifiers: `/ on (job) group_left (zone)`. */
export function formatOperator(expr: Of<'binary'>): string {
  return `${expr.op}${expr.returnBool ? ' bool' : ''}${expr.matching === undefined ? '' : formatMatching(expr.matching)}`;
}

function formatMatching({ card, on, labels, include, fill }: VectorMatching): string {
  const grouped = card === 'many-to-one' || card === 'one-to-many';
  let out = '';
  if (labels.length > 0 || on || grouped) out += ` ${on ? 'on' : 'ignoring'} (${formatLabels(labels)})`;
  if (grouped) out += ` group_${card === 'many-to-one' ? 'left' : 'right'} (${formatLabels(include)})`;
  if (fill === undefined) return out;
  if (fill.lhs !== undefined && fill.lhs === fill.rhs) return `${out} fill (${formatShortest(fill.lhs)})`;
  if (fill.lhs !== undefined) out += ` fill_left (${formatShortest(fill.lhs)})`;
  return fill.rhs === undefined ? out : `${out} fill_right (${formatShortest(fill.rhs)})`;
}

function formatMatcher({ name, op, value }: Matcher): string {
  return `${PLAIN_LABEL.test(name) ? name : quoteText(name)}${op}${quoteText(value)}`;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function formatSeries({ name, matchers }: Of<'vectorSelector'>): string {
  const shown = matchers.filter((matcher) => name === '' || matcher.name !== '__name__' || matcher.op !== '=' || matcher.value !== name);
  return shown.length === 0 ? name || '{}' : `${name}{${shown.map(formatMatcher).sort(compareBytes).join(',')}}`;
}

function formatExtended({ anchored, smoothed }: Of<'vectorSelector'>): string {
  if (anchored) return ' anchored';
  return smoothed ? ' smoothed' : '';
}

function formatAt({ at }: TimeModifiers): string {
  if (at === undefined) return '';
  return typeof at === 'number' ? ` @ ${(at / 1000).toFixed(3)}` : ` @ ${at}()`;
}

function formatOffset({ offsetMs, offsetExpr }: TimeModifiers): string {
  if (offsetExpr !== undefined) return ` offset ${formatDurationExpr(offsetExpr)}`;
  return offsetMs === 0 ? '' : ` offset ${formatDuration(offsetMs)}`;
}

function formatRange(ms: number, expr: DurationExpr | undefined): string {
  return expr === undefined ? formatDuration(ms) : formatDurationExpr(expr);
}

function formatMatrix({ vector, rangeMs, rangeExpr }: Of<'matrixSelector'>): string {
  const range = formatRange(rangeMs, rangeExpr);
  return `${formatSeries(vector)}[${range}]${formatExtended(vector)}${formatAt(vector.modifiers)}${formatOffset(vector.modifiers)}`;
}

/** What follows the expression of a subquery: `[5m:30s] @ end() offset 1h`. */
export function formatSubqueryRange({ rangeMs, rangeExpr, stepMs, stepExpr, modifiers }: Of<'subquery'>): string {
  const step = stepMs === 0 && stepExpr === undefined ? '' : formatRange(stepMs, stepExpr);
  return `[${formatRange(rangeMs, rangeExpr)}:${step}]${formatAt(modifiers)}${formatOffset(modifiers)}`;
}

/** A duration expression as Prometheus prints it. */
function formatDurationExpr(expr: DurationExpr): string {
  const { op, seconds = 0, isDuration } = expr;
  const args = expr.args.map(formatDurationExpr);
  switch (op) {
    case 'number':
      return isDuration ? formatSeconds(seconds) : formatDecimal(seconds);
    case 'parens':
      return `(${args[0]})`;
    case 'neg':
      return `-${args[0]}`;
    case 'step':
    case 'range':
    case 'min':
    case 'max':
      return `${DURATION_CALLS[op]}(${args.join(', ')})`;
    default:
      return `${args[0]} ${op} ${args[1]}`;
  }
}

import { OpsError } from '#core/errors.ts';
import type { Expr } from './ast.ts';
import { formatAggregator, formatOperator, formatSubqueryRange, formatWith } from './print.ts';

/** What is longer, in UTF-8 bytes, is broken into lines. */
const MAX_LINE = 100;

/** The longest result, in characters: what is nested deeply costs indentation on every line. */
const MAX_OUTPUT = 16 * 1024 * 1024;

interface Printer {
  /** Each part printed on one line, so that no part is printed twice. */
  readonly lines: Map<Expr, string>;
}

function lineOf(printer: Printer, expr: Expr): string {
  const known = printer.lines.get(expr);
  if (known !== undefined) return known;
  const line = formatWith(expr, (part) => lineOf(printer, part));
  printer.lines.set(expr, line);
  return line;
}

function fitsLine(line: string): boolean {
  return line.length <= MAX_LINE && Buffer.byteLength(line) <= MAX_LINE;
}

function indent(level: number): string {
  return '  '.repeat(level);
}

/** The expression as Prometheus' format_query prints it: over several lines where it is longer than 100 bytes. */
export function prettyExpr(expr: Expr): string {
  const text = prettyAt({ lines: new Map() }, expr, 0);
  if (text.length <= MAX_OUTPUT) return text;
  throw new OpsError('limit', `the formatted query is longer than ${MAX_OUTPUT} characters`, { hint: 'Shorten the query.' });
}

function prettyAt(printer: Printer, expr: Expr, level: number): string {
  const line = lineOf(printer, expr);
  if (expr.kind === 'unary') return `${indent(level)}${expr.op}${prettyAt(printer, expr.expr, level).trim()}`;
  // Prometheus does not indent a subquery that fits a line.
  if (fitsLine(line)) return expr.kind === 'subquery' ? line : indent(level) + line;
  return splitAt(printer, expr, level, line);
}

function splitAt(printer: Printer, expr: Expr, level: number, line: string): string {
  const before = indent(level);
  const inner = (part: Expr) => prettyAt(printer, part, level + 1);
  switch (expr.kind) {
    case 'aggregate': {
      const param = expr.param === undefined ? '' : `${inner(expr.param)},\n`;
      return `${before}${formatAggregator(expr)}(\n${param}${inner(expr.expr)}\n${before})`;
    }
    case 'binary':
      return `${inner(expr.lhs)}\n${before}${formatOperator(expr)}\n${inner(expr.rhs)}`;
    case 'call':
      return `${before}${expr.func}(\n${expr.args.map(inner).join(',\n')}\n${before})`;
    case 'parens':
      return `${before}(\n${inner(expr.expr)}\n${before})`;
    case 'subquery':
      return `${prettyAt(printer, expr.expr, level)}${formatSubqueryRange(expr)}`;
    default:
      return before + line;
  }
}

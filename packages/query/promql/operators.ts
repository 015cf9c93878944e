import type { BinaryOp } from './ast.ts';
import { goPow } from './go-math.ts';

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOp = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** True for `+ - * / % ^ atan2`, whose result is no longer the metric it came from. */
export function isArithmetic(op: BinaryOp): op is ArithmeticOp {
  return op === '+' || op === '-' || op === '*' || op === '/' || op === '%' || op === '^' || op === 'atan2';
}

export function isComparison(op: BinaryOp): op is ComparisonOp {
  return op === '==' || op === '!=' || op === '<' || op === '<=' || op === '>' || op === '>=';
}

export function isSetOperator(op: BinaryOp): op is 'and' | 'or' | 'unless' {
  return op === 'and' || op === 'or' || op === 'unless';
}

/** `out[o + i] = a[x + i] op b[y + i]` for n values; `out` may be one of the operands. One loop an operator, so that each runs on numbers alone. */
export function computeRow(
  op: ArithmeticOp,
  a: Float64Array,
  x: number,
  b: Float64Array,
  y: number,
  out: Float64Array,
  o: number,
  n: number,
): void {
  switch (op) {
    case '+':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) + (b[y + i] as number);
      return;
    case '-':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) - (b[y + i] as number);
      return;
    case '*':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) * (b[y + i] as number);
      return;
    case '/':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) / (b[y + i] as number);
      return;
    case '%':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) % (b[y + i] as number);
      return;
    case '^':
      for (let i = 0; i < n; i++) out[o + i] = goPow(a[x + i] as number, b[y + i] as number);
      return;
    case 'atan2':
      for (let i = 0; i < n; i++) out[o + i] = Math.atan2(a[x + i] as number, b[y + i] as number);
      return;
  }
}

/** `out[o + i] = 1` where the comparison of `a[x + i]` with `b[y + i]` holds, else 0, for n values. */
export function compareRow(
  op: ComparisonOp,
  a: Float64Array,
  x: number,
  b: Float64Array,
  y: number,
  out: Uint8Array | Float64Array,
  o: number,
  n: number,
): void {
  switch (op) {
    case '==':
      for (let i = 0; i < n; i++) out[o + i] = a[x + i] === b[y + i] ? 1 : 0;
      return;
    case '!=':
      for (let i = 0; i < n; i++) out[o + i] = a[x + i] !== b[y + i] ? 1 : 0;
      return;
    case '<':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) < (b[y + i] as number) ? 1 : 0;
      return;
    case '<=':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) <= (b[y + i] as number) ? 1 : 0;
      return;
    case '>':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) > (b[y + i] as number) ? 1 : 0;
      return;
    case '>=':
      for (let i = 0; i < n; i++) out[o + i] = (a[x + i] as number) >= (b[y + i] as number) ? 1 : 0;
      return;
  }
}

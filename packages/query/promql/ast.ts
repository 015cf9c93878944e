import type { Matcher } from '#model/matcher.ts';

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

/** Bytes of the source as UTF-16 offsets, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A duration given as an expression of numbers (`[5m * 2]`), resolved before evaluation; see duration_expression.test. */
export interface DurationExpr {
  readonly op: '+' | '-' | '*' | '/' | '%' | '^' | 'step' | 'range' | 'min' | 'max' | 'number' | 'neg' | 'parens';
  /** For `number`: seconds. */
  readonly seconds?: number;
  /** For `number`: written as a duration (`5m`), not as a plain number of seconds. */
  readonly isDuration?: boolean;
  readonly args: readonly DurationExpr[];
  readonly span: Span;
}

/** Modifiers of a selector or subquery. Times in ms. */
export interface TimeModifiers {
  readonly offsetMs: number;
  readonly offsetExpr?: DurationExpr | undefined;
  /** `@`: a fixed time, or the start or end of the query. */
  readonly at?: number | 'start' | 'end' | undefined;
}

export interface VectorMatching {
  readonly card: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels of group_left or group_right. */
  readonly include: readonly string[];
  /** `fill`, `fill_left`, `fill_right`. */
  readonly fill?: { readonly lhs?: number | undefined; readonly rhs?: number | undefined } | undefined;
}

export type BinaryOp =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'
  | 'atan2'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'and'
  | 'or'
  | 'unless'
  | '</'
  | '>/';

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'quantile'
  | 'count_values'
  | 'limitk'
  | 'limit_ratio';

/** A checked expression: the parser has verified every type and argument. */
export type Expr =
  | { readonly kind: 'number'; readonly value: number; readonly isDuration: boolean; readonly span: Span }
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  | {
      readonly kind: 'vectorSelector';
      readonly name: string;
      /** All of them as written; a name outside the braces comes last, as a matcher of `__name__`. */
      readonly matchers: readonly Matcher[];
      readonly modifiers: TimeModifiers;
      readonly anchored: boolean;
      readonly smoothed: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'matrixSelector';
      readonly vector: Extract<Expr, { kind: 'vectorSelector' }>;
      readonly rangeMs: number;
      readonly rangeExpr?: DurationExpr | undefined;
      readonly span: Span;
    }
  | {
      readonly kind: 'subquery';
      readonly expr: Expr;
      readonly rangeMs: number;
      readonly rangeExpr?: DurationExpr | undefined;
      readonly stepMs: number;
      readonly stepExpr?: DurationExpr | undefined;
      readonly modifiers: TimeModifiers;
      readonly span: Span;
    }
  | { readonly kind: 'call'; readonly func: string; readonly args: readonly Expr[]; readonly span: Span }
  | {
      readonly kind: 'aggregate';
      readonly op: AggregateOp;
      readonly expr: Expr;
      readonly param?: Expr | undefined;
      readonly grouping: readonly string[];
      readonly without: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOp;
      readonly lhs: Expr;
      readonly rhs: Expr;
      readonly returnBool: boolean;
      readonly matching?: VectorMatching | undefined;
      readonly span: Span;
    }
  | { readonly kind: 'unary'; readonly op: '+' | '-'; readonly expr: Expr; readonly span: Span }
  | { readonly kind: 'parens'; readonly expr: Expr; readonly span: Span };

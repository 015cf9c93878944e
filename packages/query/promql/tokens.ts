import { quotePrefix, quoteText } from './quote.ts';

/**
 * The kind of a token: for punctuation, operators and keywords the text they are written as (keywords in lower case),
 * for everything else a name in capitals.
 */
export type TokenKind = string;

/** One token; `start` is a UTF-16 offset and `text` the source as written. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly text: string;
}

const SET_OPERATORS = ['and', 'or', 'unless', 'atan2'];
const AGGREGATORS = [
  'sum',
  'avg',
  'count',
  'min',
  'max',
  'group',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
];
const MODIFIER_KEYWORDS = [
  'offset',
  'smoothed',
  'anchored',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'fill',
  'fill_left',
  'fill_right',
  'bool',
];
const PREPROCESSORS = ['start', 'end', 'step', 'range', 'max_of', 'min_of'];

/** Every word the lexer knows, in lower case, with the kind it stands for. */
export const KEYWORDS: ReadonlyMap<string, TokenKind> = new Map([
  ...[...SET_OPERATORS, ...AGGREGATORS, ...MODIFIER_KEYWORDS, ...PREPROCESSORS].map((word) => [word, word] as const),
  ['inf', 'NUMBER'],
  ['nan', 'NUMBER'],
]);

const OPERATOR_KINDS: ReadonlySet<TokenKind> = new Set([
  ...['+', '/', '==', '=~', '>=', '>', '</', '>/', '<', '<=', '%', '*', '!=', '!~', '^', '-', '@'],
  ...SET_OPERATORS,
]);
const KEYWORD_KINDS: ReadonlySet<TokenKind> = new Set(MODIFIER_KEYWORDS);
const PUNCTUATION: ReadonlySet<TokenKind> = new Set(['(', ')', '{', '}', '[', ']', ',', '=', ':']);

/** Kinds that are an aggregation where `(`, `by` or `without` follows. */
export const AGGREGATOR_KINDS: ReadonlySet<TokenKind> = new Set(AGGREGATORS);

/** Kinds that may be a metric's name at the start of an expression. */
export const METRIC_NAME_KINDS: ReadonlySet<TokenKind> = new Set([
  ...AGGREGATORS,
  ...PREPROCESSORS,
  ...['IDENTIFIER', 'METRIC_IDENTIFIER', 'and', 'or', 'unless'],
  ...['by', 'without', 'offset', 'fill', 'fill_left', 'fill_right', 'anchored', 'smoothed'],
]);

/** Kinds that may be a label's name in a grouping list. */
export const LABEL_NAME_KINDS: ReadonlySet<TokenKind> = new Set([
  ...AGGREGATORS,
  ...PREPROCESSORS,
  ...SET_OPERATORS,
  ...MODIFIER_KEYWORDS.filter((word) => word !== 'without'),
  'IDENTIFIER',
  'METRIC_IDENTIFIER',
]);

/** Kinds that may start an expression. */
export const EXPRESSION_STARTS: ReadonlySet<TokenKind> = new Set([
  ...METRIC_NAME_KINDS,
  ...['NUMBER', 'DURATION', 'STRING', '(', '{', '+', '-'],
]);

const KIND_NAMES: Record<string, string> = {
  EOF: 'end of input',
  IDENTIFIER: 'identifier',
  METRIC_IDENTIFIER: 'metric identifier',
  STRING: 'string',
  NUMBER: 'number',
  DURATION: 'duration',
};

function showToken(token: Token): string {
  if (token.kind === 'IDENTIFIER' || token.kind === 'METRIC_IDENTIFIER') return quoteText(token.text);
  if (KEYWORD_KINDS.has(token.kind)) return `<${token.text}>`;
  if (OPERATOR_KINDS.has(token.kind)) return `<op:${token.text}>`;
  if (AGGREGATOR_KINDS.has(token.kind)) return `<aggr:${token.text}>`;
  if (Buffer.byteLength(token.text) > 10) return `${quotePrefix(token.text, 10)}...`;
  return quoteText(token.text);
}

/** The token as Prometheus names it in an error: `identifier "foo"`, `<op:+>`, `end of input`. */
export function describeToken(token: Token): string {
  if (token.kind === 'EOF') return 'end of input';
  const fixed = PUNCTUATION.has(token.kind) || OPERATOR_KINDS.has(token.kind) || !(token.kind in KIND_NAMES);
  return fixed ? showToken(token) : `${KIND_NAMES[token.kind]} ${showToken(token)}`;
}

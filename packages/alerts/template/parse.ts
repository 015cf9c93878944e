import { OpsError } from '#core/errors.ts';
import { builtins } from './builtins.ts';
import { readConstant } from './constant.ts';
import { quoteGo, unquoteGo } from './go-quote.ts';
import type { FunctionTable } from './go-values.ts';
import type { Command, Node, Operand, Pipe, Tree, Variable } from './nodes.ts';
import { describeNode } from './nodes.ts';
import { describeToken, type Token, type TokenKind, tokenize } from './tokens.ts';

/** Texts that were parsed together or one after the other, by name; a text calls the others with `{{template "name"}}`. */
export interface TemplateSet {
  readonly functions: FunctionTable;
  readonly trees: ReadonlyMap<string, Tree>;
}

/** A text that is ready to be rendered, with the set it may call. */
export interface Template {
  readonly name: string;
  readonly set: TemplateSet;
}

export interface ParseOptions {
  readonly functions: FunctionTable;
  /** What messages call the text. */
  readonly name: string;
  /** Named templates that were parsed before. */
  readonly set?: TemplateSet;
}

/** Longest text of one template, in UTF-16 units. */
const MAX_TEXT = 1_000_000;
/** Deepest nesting of blocks and parentheses. */
const MAX_DEPTH = 200;

/**
 * Parses a text. `input` with Go's position and words where it is none: `template: name:1: function "foo" not defined`.
 * What it defines is added to the set of the result and replaces what had the same name; the given set stays as it is.
 */
export function parseTemplate(text: string, options: ParseOptions): Template {
  const { name, functions } = options;
  const before = options.set?.trees ?? new Map<string, Tree>();
  const added = parseTrees(text, name, functions);
  const trees = new Map(before);
  for (const [key, tree] of added) if (!trees.has(key) || !isBlank(tree.root)) trees.set(key, tree);
  return { name, set: { functions, trees } };
}

/** The part of a parser that belongs to one tree: a define or block starts afresh. */
interface Parser {
  readonly source: Source;
  variables: string[];
  rangeDepth: number;
  actionLine: number;
}

interface Source {
  readonly name: string;
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly functions: FunctionTable;
  readonly trees: Map<string, Tree>;
  at: number;
  /** The furthest token that was looked at: messages name its line. */
  furthest: number;
  depth: number;
}

/** What ends a list of nodes. */
interface Stop {
  readonly kind: 'end' | 'else';
}

function parseTrees(text: string, name: string, functions: FunctionTable): Map<string, Tree> {
  if (text.length > MAX_TEXT) throw new OpsError('input', `template: ${name}:1: longer than ${MAX_TEXT} characters`);
  const trees = new Map<string, Tree>();
  if (!text.includes('{{')) {
    const root: Node[] = text === '' ? [] : [{ kind: 'text', pos: 0, text }];
    return trees.set(name, { name, parseName: name, text, root });
  }
  const source: Source = { name, text, tokens: tokenize(text), functions, trees, at: 0, furthest: 0, depth: 0 };
  const parser = startTree(source);
  const root: Node[] = [];
  while (peek(parser).kind !== 'eof') {
    if (parseDefinition(parser)) continue;
    const node = parseTextOrAction(parser);
    if (isStop(node)) throw fail(parser, `unexpected {{${node.kind}}}`);
    root.push(node);
  }
  addTree(parser, name, root);
  return trees;
}

function startTree(source: Source): Parser {
  return { source, variables: ['$'], rangeDepth: 0, actionLine: 0 };
}

function addTree(parser: Parser, name: string, root: readonly Node[]): void {
  const { source } = parser;
  const old = source.trees.get(name);
  if (old && !isBlank(old.root) && !isBlank(root)) throw fail(parser, `template: multiple definition of template ${quoteGo(name)}`);
  if (!old || isBlank(old.root)) source.trees.set(name, { name, parseName: source.name, text: source.text, root });
}

function isBlank(root: readonly Node[]): boolean {
  return root.every((node) => node.kind === 'text' && node.text.trim() === '');
}

function isStop(node: Node | Stop): node is Stop {
  return node.kind === 'end' || node.kind === 'else';
}

// Tokens

function next({ source }: Parser): Token {
  const at = Math.min(source.at, source.tokens.length - 1);
  source.at++;
  source.furthest = Math.max(source.furthest, at);
  return source.tokens[at] as Token;
}

function peek(parser: Parser): Token {
  const token = next(parser);
  parser.source.at--;
  return token;
}

function nextNonSpace(parser: Parser): Token {
  for (;;) {
    const token = next(parser);
    if (token.kind !== 'space') return token;
  }
}

function peekNonSpace(parser: Parser): Token {
  const token = nextNonSpace(parser);
  parser.source.at--;
  return token;
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'keyword' && token.text === word;
}

function fail({ source }: Parser, message: string): OpsError {
  const line = source.tokens[source.furthest]?.line ?? 1;
  return new OpsError('input', `template: ${source.name}:${line}: ${message}`);
}

function unexpected(parser: Parser, token: Token, context: string): OpsError {
  if (token.kind !== 'error') return fail(parser, `unexpected ${describeToken(token)} in ${context}`);
  let extra = '';
  if (parser.actionLine !== 0 && parser.actionLine !== token.line) {
    extra = ` in action started at ${parser.source.name}:${parser.actionLine}`;
    if (token.text.endsWith(' action')) extra = extra.slice(' in action'.length);
  }
  return fail(parser, `${token.text}${extra}`);
}

function expect(parser: Parser, kind: TokenKind, context: string): Token {
  const token = nextNonSpace(parser);
  if (token.kind !== kind) throw unexpected(parser, token, context);
  return token;
}

/** Parses what may hold itself, within the depth that a stack can take. */
function nested<T>(parser: Parser, parse: () => T): T {
  if (++parser.source.depth > MAX_DEPTH) throw fail(parser, `nested more than ${MAX_DEPTH} deep`);
  const result = parse();
  parser.source.depth--;
  return result;
}

// Nodes

/** `{{define "name"}} ... {{end}}`, which only stands outside all else. False where the next is something else. */
function parseDefinition(parser: Parser): boolean {
  const { source } = parser;
  const start = source.at;
  if (peek(parser).kind !== '{{') return false;
  next(parser);
  if (!isWord(nextNonSpace(parser), 'define')) {
    source.at = start;
    return false;
  }
  const inner = startTree(source);
  const name = parseName(inner, nextNonSpace(inner), 'define clause');
  expect(inner, '}}', 'define clause');
  const { list, stop } = parseList(inner);
  if (stop.kind !== 'end') throw fail(inner, `unexpected {{${stop.kind}}} in define clause`);
  addTree(inner, name, list);
  return true;
}

function parseName(parser: Parser, token: Token, context: string): string {
  if (token.kind !== 'string' && token.kind !== 'raw') throw unexpected(parser, token, context);
  return unquote(parser, token);
}

function unquote(parser: Parser, token: Token): string {
  const text = unquoteGo(token.text);
  if (text === undefined) throw fail(parser, 'invalid syntax');
  return text;
}

function parseList(parser: Parser): { list: Node[]; stop: Stop } {
  const list: Node[] = [];
  while (peekNonSpace(parser).kind !== 'eof') {
    const node = parseTextOrAction(parser);
    if (isStop(node)) return { list, stop: node };
    list.push(node);
  }
  throw fail(parser, 'unexpected EOF');
}

function parseTextOrAction(parser: Parser): Node | Stop {
  const token = nextNonSpace(parser);
  if (token.kind === 'text') return { kind: 'text', pos: token.pos, text: token.text };
  if (token.kind !== '{{') throw unexpected(parser, token, 'input');
  parser.actionLine = token.line;
  const node = nested(parser, () => parseAction(parser));
  parser.actionLine = 0;
  return node;
}

function parseAction(parser: Parser): Node | Stop {
  const token = nextNonSpace(parser);
  if (token.kind === 'keyword') {
    switch (token.text) {
      case 'block':
        return parseBlock(parser);
      case 'break':
      case 'continue':
        return parseJump(parser, token, token.text);
      case 'else':
        return parseElse(parser);
      case 'end':
        expect(parser, '}}', 'end');
        return { kind: 'end' };
      case 'if':
      case 'range':
      case 'with':
        return parseBranch(parser, token.text);
      case 'template':
        return parseCall(parser);
    }
  }
  parser.source.at--;
  return { kind: 'action', pos: token.pos, pipe: parsePipe(parser, 'command', '}}') };
}

function parseJump(parser: Parser, token: Token, kind: 'break' | 'continue'): Node {
  const after = nextNonSpace(parser);
  if (after.kind !== '}}') throw unexpected(parser, after, `{{${kind}}}`);
  if (parser.rangeDepth === 0) throw fail(parser, `{{${kind}}} outside {{range}}`);
  return { kind, pos: token.pos };
}

/** `{{else}}`; of `{{else if` and `{{else with` the keyword is left for the branch. */
function parseElse(parser: Parser): Stop {
  const token = peekNonSpace(parser);
  if (!isWord(token, 'if') && !isWord(token, 'with')) expect(parser, '}}', 'else');
  return { kind: 'else' };
}

function parseBranch(parser: Parser, kind: 'if' | 'range' | 'with'): Node {
  const known = parser.variables.length;
  const pipe = parsePipe(parser, kind, '}}');
  if (kind === 'range') parser.rangeDepth++;
  const { list, stop } = parseList(parser);
  if (kind === 'range') parser.rangeDepth--;
  const otherwise = stop.kind === 'else' ? parseOtherwise(parser, kind) : undefined;
  parser.variables.length = known;
  return { kind, pos: pipe.pos, pipe, list, otherwise };
}

function parseOtherwise(parser: Parser, kind: 'if' | 'range' | 'with'): readonly Node[] {
  if (kind !== 'range' && isWord(peek(parser), kind)) {
    next(parser);
    return [nested(parser, () => parseBranch(parser, kind))]; // one {{end}} closes them all
  }
  const { list, stop } = parseList(parser);
  if (stop.kind !== 'end') throw fail(parser, `expected end; found {{${stop.kind}}}`);
  return list;
}

function parseBlock(parser: Parser): Node {
  const token = nextNonSpace(parser);
  const name = parseName(parser, token, 'block clause');
  const pipe = parsePipe(parser, 'block clause', '}}');
  const inner = startTree(parser.source);
  const { list, stop } = parseList(inner);
  if (stop.kind !== 'end') throw fail(parser, `unexpected {{${stop.kind}}} in block clause`);
  addTree(inner, name, list);
  return { kind: 'template', pos: token.pos, name, pipe };
}

function parseCall(parser: Parser): Node {
  const token = nextNonSpace(parser);
  const name = parseName(parser, token, 'template clause');
  if (nextNonSpace(parser).kind === '}}') return { kind: 'template', pos: token.pos, name, pipe: undefined };
  parser.source.at--;
  return { kind: 'template', pos: token.pos, name, pipe: parsePipe(parser, 'template clause', '}}') };
}

// Pipelines

const operandStarts: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'bool', 'rune', 'complex', 'field', 'identifier', 'number', 'raw', 'string', 'variable', '(',
]); // biome-ignore format: one list

function parsePipe(parser: Parser, context: string, end: TokenKind): Pipe {
  const { pos } = peekNonSpace(parser);
  const { declares, assigns } = parseDeclarations(parser, context);
  const commands: Command[] = [];
  for (;;) {
    const token = nextNonSpace(parser);
    if (token.kind === end) break;
    if (!operandStarts.has(token.kind) && !isWord(token, '.') && !isWord(token, 'nil')) throw unexpected(parser, token, context);
    parser.source.at--;
    commands.push(parseCommand(parser));
  }
  if (commands.length === 0) throw fail(parser, `missing value for ${context}`);
  const stuck = commands.findIndex(({ args: [first] }, i) => i > 0 && first && constants.has(first.kind));
  if (stuck > 0) throw fail(parser, `non executable command in pipeline stage ${stuck + 1}`);
  return { kind: 'pipe', pos, declares, assigns, commands };
}

const constants: ReadonlySet<string> = new Set(['bool', 'dot', 'nil', 'number', 'string']);

function parseDeclarations(parser: Parser, context: string): { declares: Variable[]; assigns: boolean } {
  const { source } = parser;
  const declares: Variable[] = [];
  for (;;) {
    const variable = peekNonSpace(parser);
    if (variable.kind !== 'variable') return { declares, assigns: false };
    const start = source.at;
    next(parser);
    const after = nextNonSpace(parser);
    const isComma = after.kind === 'char' && after.text === ',';
    if (!isComma && after.kind !== '=' && after.kind !== ':=') {
      source.at = start;
      return { declares, assigns: false };
    }
    declares.push({ kind: 'variable', pos: variable.pos, path: [variable.text] });
    parser.variables.push(variable.text);
    if (!isComma) return { declares, assigns: after.kind === '=' };
    if (context !== 'range' || declares.length > 1) throw fail(parser, `too many declarations in ${context}`);
    if (!['variable', '}}', ')'].includes(peekNonSpace(parser).kind)) throw fail(parser, 'range can only initialize variables');
  }
}

function parseCommand(parser: Parser): Command {
  const { pos } = peekNonSpace(parser);
  const args: Operand[] = [];
  for (;;) {
    peekNonSpace(parser);
    const operand = parseOperand(parser);
    if (operand) args.push(operand);
    const token = next(parser);
    if (token.kind === 'space') continue;
    if (token.kind === '}}' || token.kind === ')') parser.source.at--;
    else if (token.kind !== '|') throw unexpected(parser, token, 'operand');
    break;
  }
  if (args.length === 0) throw fail(parser, 'empty command');
  return { kind: 'command', pos, args };
}

function parseOperand(parser: Parser): Operand | undefined {
  const term = parseTerm(parser);
  if (!term || peek(parser).kind !== 'field') return term;
  const { pos } = peek(parser);
  const path: string[] = [];
  while (peek(parser).kind === 'field') path.push(next(parser).text.slice(1));
  if (term.kind === 'field' || term.kind === 'variable') return { kind: term.kind, pos, path: [...term.path, ...path] };
  if (constants.has(term.kind)) throw fail(parser, `unexpected . after term ${quoteGo(describeNode(term))}`);
  return { kind: 'chain', pos, of: term, path };
}

function parseTerm(parser: Parser): Operand | undefined {
  const token = nextNonSpace(parser);
  const { pos, text } = token;
  switch (token.kind) {
    case 'identifier':
      if (!Object.hasOwn(parser.source.functions, text) && !Object.hasOwn(builtins, text)) {
        throw fail(parser, `function ${quoteGo(text)} not defined`);
      }
      return { kind: 'function', pos, name: text };
    case 'variable':
      if (!parser.variables.includes(text)) throw fail(parser, `undefined variable ${quoteGo(text)}`);
      return { kind: 'variable', pos, path: [text] };
    case 'field':
      return { kind: 'field', pos, path: [text.slice(1)] };
    case 'bool':
      return { kind: 'bool', pos, value: text === 'true' };
    case 'rune':
    case 'complex':
    case 'number': {
      const constant = readConstant(token);
      if (typeof constant === 'string') throw fail(parser, constant);
      return constant;
    }
    case '(':
      return nested(parser, () => parsePipe(parser, 'parenthesized pipeline', ')'));
    case 'string':
    case 'raw':
      return { kind: 'string', pos, source: text, value: unquote(parser, token) };
    case 'keyword':
      if (text === '.') return { kind: 'dot', pos };
      if (text === 'nil') return { kind: 'nil', pos };
  }
  parser.source.at--;
  return undefined;
}

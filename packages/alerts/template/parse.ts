import { quoteGo } from '#alerts/go-quote.ts';
import { OpsError } from '#core/errors.ts';
import type { FunctionTable } from './go-values.ts';
import type { Node, Tree } from './nodes.ts';
import { parsePipe } from './parse-pipe.ts';
import {
  expect,
  fail,
  isWord,
  nested,
  next,
  nextNonSpace,
  type Parser,
  peek,
  peekNonSpace,
  type Source,
  startTree,
  unexpected,
  unquote,
} from './token-reader.ts';
import { type Token, tokenize } from './tokens.ts';

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

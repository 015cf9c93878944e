import { quoteGo } from '#alerts/go-quote.ts';
import { builtins } from './builtins.ts';
import { readConstant } from './constant.ts';
import { type Command, describeNode, type Operand, type Pipe, type Variable } from './nodes.ts';
import { fail, isWord, nested, next, nextNonSpace, type Parser, peek, peekNonSpace, unexpected, unquote } from './token-reader.ts';
import type { TokenKind } from './tokens.ts';

const operandStarts: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'bool',
  'rune',
  'complex',
  'field',
  'identifier',
  'number',
  'raw',
  'string',
  'variable',
  '(',
]);

/** `declarations? command ('|' command)*`, up to what ends it. */
export function parsePipe(parser: Parser, context: string, end: TokenKind): Pipe {
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

import { OpsError } from '#core/errors.ts';
import { compileMatcher, type Matcher } from '#model/matcher.ts';
import type { Series } from '#model/series.ts';
import { labelValue } from './series-labels.ts';

const MAX_CHARS = 65_536;
const space = /[ \t\r\n]*/y;
const metricName = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelName = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const quoted = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/sy;
const operator = /=~|!~|!=|=/y;

/**
 * Reads a selector as PromQL writes it: `name`, `name{a="b",c!~"d.*"}`, `{"a name","a label"="b"}`. Every matcher must hold.
 * `input` naming the column where it cannot be read, or the pattern that RE2 refuses.
 */
export function parseSelector(text: string): readonly Matcher[] {
  if (text.length > MAX_CHARS) throw new OpsError('input', `a selector has at most ${MAX_CHARS} characters; this one has ${text.length}`);
  const at: Cursor = { text, i: 0 };
  const matchers: Matcher[] = [];
  const name = take(at, metricName);
  if (name !== undefined) matchers.push({ name: '__name__', op: '=', value: name });
  if (takeChar(at, '{')) parseBraces(at, matchers);
  if (peek(at) !== undefined) throw unexpected(at, name === undefined ? 'a metric name or {' : 'the end');
  if (matchers.length === 0)
    throw new OpsError('input', 'a selector needs at least one matcher, such as {job="api"}; leave `match` out to match everything');
  for (const matcher of matchers) compileMatcher(matcher);
  return matchers;
}

/** The test of a series against a selector; undefined matches everything. */
export function compileSelector(text: string | undefined): (series: Series) => boolean {
  if (text === undefined) return () => true;
  const tests = parseSelector(text).map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
  return (series) => tests.every(({ name, test }) => test(labelValue(series, name)));
}

interface Cursor {
  readonly text: string;
  i: number;
}

function parseBraces(at: Cursor, matchers: Matcher[]): void {
  while (!takeChar(at, '}')) {
    matchers.push(parseMatcher(at, matchers));
    if (!takeChar(at, ',') && peek(at) !== '}') throw unexpected(at, ', or }');
  }
}

function parseMatcher(at: Cursor, before: readonly Matcher[]): Matcher {
  const bare = take(at, labelName);
  const name = bare ?? takeText(at, 'a label name or }');
  const op = take(at, operator) as Matcher['op'] | undefined;
  if (op !== undefined) return { name, op, value: takeText(at, 'a text in quotes') };
  if (bare !== undefined || before.some((matcher) => matcher.name === '__name__')) throw unexpected(at, 'one of =, !=, =~, !~');
  return { name: '__name__', op: '=', value: name };
}

function peek(at: Cursor): string | undefined {
  space.lastIndex = at.i;
  at.i += space.exec(at.text)?.[0].length ?? 0;
  return at.text[at.i];
}

function takeChar(at: Cursor, char: string): boolean {
  if (peek(at) !== char) return false;
  at.i++;
  return true;
}

function take(at: Cursor, token: RegExp): string | undefined {
  peek(at);
  token.lastIndex = at.i;
  const found = token.exec(at.text)?.[0];
  at.i += found?.length ?? 0;
  return found;
}

function takeText(at: Cursor, expected: string): string {
  const start = at.i;
  const found = take(at, quoted);
  if (found === undefined) throw unexpected(at, expected);
  const inner = found.slice(1, -1);
  if (found.startsWith('`')) return inner;
  const text = unescapeText(inner);
  if (text === undefined)
    throw new OpsError('input', `column ${start + 1}: ${found.slice(0, 60)} has an escape that Go's strings do not know, or no valid text`);
  return text;
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
const escaped = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U(00[01][0-9a-fA-F]{5})|(.?))/gs;

/** Go's escapes; bytes beyond ASCII (`\xff`) would have to form UTF-8 together and are not taken. */
function unescapeText(inner: string): string | undefined {
  let valid = true;
  const text = inner.replace(escaped, (_, plain, hex, octal, short, long) => {
    if (plain !== undefined) return escapes[plain] as string;
    const code = hex || short || long ? Number.parseInt(hex ?? short ?? long, 16) : octal ? Number.parseInt(octal, 8) : Number.NaN;
    valid &&= code <= ((hex ?? octal) === undefined ? 0x10ffff : 0x7f);
    return valid ? String.fromCodePoint(code) : '';
  });
  return valid && text.isWellFormed() ? text : undefined;
}

function unexpected(at: Cursor, expected: string): OpsError {
  const char = peek(at);
  const got = char === undefined ? 'the selector ends' : `there is ${JSON.stringify(char)}`;
  return new OpsError('input', `column ${at.i + 1}: ${got} where ${expected} should be`);
}

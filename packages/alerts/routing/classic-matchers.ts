import { OpsError } from '#core/errors.ts';
import type { Matcher } from '#model/matcher.ts';
import { compileRegex } from './matchers.ts';
import { trimSpace } from './reserved.ts';

const head = /^[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)/;

/** Matchers in Alertmanager's old syntax, tolerant of quotes and braces left out; `input` in its own words. */
export function parseClassicMatchers(text: string): Matcher[] {
  const open = text.startsWith('{') ? text.slice(1) : text;
  return splitMatchers(open.endsWith('}') ? open.slice(0, -1) : open).map(parseClassicMatcher);
}

/** Splits at the commas outside of quotes; a last part of white space alone is none. */
function splitMatchers(text: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let escaped = false;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === ',' && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    } else if (char === '\\') escaped = !escaped;
    else if (char !== '"')
      escaped = escaped && char === ','; // a comma in quotes ends no escape
    else if (escaped) escaped = false;
    else quoted = !quoted;
  }
  const last = trimSpace(text.slice(start));
  return last === '' ? parts : [...parts, last];
}

/** One matcher in the old syntax. */
export function parseClassicMatcher(text: string): Matcher {
  const match = head.exec(text);
  if (!match) throw new OpsError('input', `bad matcher format: ${text}`);
  const [whole, name, op] = match as unknown as [string, string, Matcher['op']];
  const matcher = { name, op, value: readValue(text.slice(whole.length).replace(/^[\t\n\f\r ]+/, '')) };
  if (op === '=~' || op === '!~') compileRegex(matcher.value);
  return matcher;
}

/** Undoes `\"`, `\n` and `\\`; any other backslash stands for itself. */
function readValue(padded: string): string {
  const raw = trimEnd(padded);
  const quoted = raw.startsWith('"');
  const body = quoted ? raw.slice(1) : raw;
  const refuse = () => new OpsError('input', `matcher value contains unescaped double quote: ${raw}`);
  if (!body.isWellFormed()) throw new OpsError('input', `matcher value not valid UTF-8: ${raw}`);
  let value = '';
  let closed = !quoted;
  for (let i = 0; i < body.length; i++) {
    const char = body[i] as string;
    const next = body[i + 1];
    if (char === '"') {
      if (closed || next !== undefined) throw refuse();
      closed = true;
    } else if (char !== '\\' || next === undefined) value += char;
    else {
      i++;
      value += next === 'n' ? '\n' : next === '"' || next === '\\' ? next : `\\${next}`;
    }
  }
  if (!closed) throw refuse();
  return value;
}

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && '\t\n\f\r '.includes(text[end - 1] as string)) end--;
  return text.slice(0, end);
}

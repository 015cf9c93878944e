import { OpsError } from '#core/errors.ts';

const PLACEHOLDER = /\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}\}/g;
const MAX_VALUE_CHARS = 1_024;

/** A part of a PromQL text: outside of quotes, or one quoted text with its quote and whether it is a pattern (`=~`, `!~`). */
interface Part {
  readonly text: string;
  readonly quote?: string | undefined;
  readonly isPattern?: boolean | undefined;
}

/** Why a query template cannot be used, or undefined. Variables stand only in quoted label values, so that no value can change the query. */
export function checkTemplate(template: string): string | undefined {
  for (const { text, quote } of splitQuoted(template)) {
    const rest = text.replace(PLACEHOLDER, '');
    if (rest.includes('{{') && quote !== undefined) return `has a placeholder that is none: ${JSON.stringify(text)}; write {{name}}`;
    if (rest === text && !text.includes('{{')) continue;
    if (quote === undefined) return 'has a placeholder outside of a quoted label value';
    if (quote === '`') return 'has a placeholder in backquotes, where nothing can be escaped; use "';
  }
  return undefined;
}

/**
 * Puts values in the place of `{{name}}`. In `=~` and `!~` they are quoted as regular expressions first, so that they match themselves alone;
 * then they are escaped as PromQL's strings are. `input` for a variable that is not known or too long.
 */
export function renderTemplate(template: string, variables: Readonly<Record<string, string>>): string {
  const fault = checkTemplate(template);
  if (fault !== undefined) throw new OpsError('input', `the query ${fault}`);
  return splitQuoted(template)
    .map(({ text, quote, isPattern }) => (quote ? text.replace(PLACEHOLDER, (_, name: string) => fill(name, isPattern === true)) : text))
    .join('');

  function fill(name: string, isPattern: boolean): string {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined) throw new OpsError('input', `the query has an unknown variable ${name}`, { hint: hintOf(variables) });
    if (value.length > MAX_VALUE_CHARS || !value.isWellFormed())
      throw new OpsError('input', `the variable ${name} has more than ${MAX_VALUE_CHARS} characters, or is no well-formed text`);
    return escapeString(isPattern ? escapePattern(value) : value);
  }
}

function hintOf(variables: Readonly<Record<string, string>>): string {
  return `known here: ${Object.keys(variables).sort().join(', ')}`;
}

function escapePattern(value: string): string {
  return value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

function escapeString(value: string): string {
  return Array.from(value, escapeChar).join('');
}

/** By its number, which is right within either quote. */
function escapeChar(char: string): string {
  const isPlain = char >= ' ' && char !== '\u007f' && char !== '\\' && char !== '"' && char !== "'";
  return isPlain ? char : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Quoted texts as they stand, with what lies between them; a comment lies between. */
function splitQuoted(template: string): readonly Part[] {
  const parts: Part[] = [];
  const form = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`|#[^\n]*/g;
  let end = 0;
  // What lies between quoted texts without its comments: an operator may stand before one.
  let code = '';
  for (const { 0: found, index } of template.matchAll(form)) {
    const before = template.slice(end, index);
    code += before;
    parts.push({ text: before });
    if (found.startsWith('#')) parts.push({ text: found });
    else {
      parts.push({ text: found, quote: found[0], isPattern: /[=!]~\s*$/.test(code) });
      code = '';
    }
    end = index + found.length;
  }
  parts.push({ text: template.slice(end) });
  return parts;
}

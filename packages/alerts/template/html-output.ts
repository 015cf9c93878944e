import { OpsError } from '#core/errors.ts';
import { formatValue } from './go-format.ts';
import { formatJson } from './go-json.ts';
import { type CallContext, indirect, type Value } from './go-values.ts';
import { attributeKind, type HtmlContext, readHtml, startContext } from './html-context.ts';
import type { Output } from './state.ts';

/** What stands for a value that has no safe form where it is printed; html/template's word for it. */
const refused = 'ZgotmplZ';

/**
 * Output that escapes each printed value for where it stands, as html/template does: text, attribute, URL or its query, script, style.
 * The place is found from the text that was written so far. Comments of the template are left out.
 */
export function createHtmlOutput(append: (text: string) => void, context: CallContext): Output {
  let place = startContext;
  return {
    writeText: (text) => {
      place = readHtml(place, text, append);
    },
    printValue: (value, escaper) => {
      const text = escapeFor(place, value, escaper, context);
      if (place.at !== 'comment') append(text);
      if (place.at === 'before-value') place = { ...place, at: 'value', quote: '', before: text };
      else if (place.at === 'value' || place.at === 'raw') place = { ...place, before: place.before + text };
      else if (place.at === 'tag') place = { ...place, at: 'name', attribute: text, before: '' };
    },
  };
}

function escapeFor(place: HtmlContext, value: Value, escaper: string | undefined, context: CallContext): string {
  const target = indirect(value);
  const text = target === undefined || target === null ? '' : formatValue(target, context.charge);
  const type = typeof target === 'object' && target !== null ? target.type.name : '';
  context.charge(Math.ceil((text.length + place.before.length) / 32));
  const isHtml = type === 'template.HTML' || escaper === 'html';
  switch (place.at) {
    case 'text':
      return isHtml ? text : escapeText(text);
    case 'raw':
      if (place.element === 'script') return escapeScript(place.before, target, text, context);
      return place.element === 'style' ? filterStyle(text) : isHtml ? normalizeText(text) : escapeText(text);
    case 'comment':
      return '';
    case 'tag':
    case 'name':
      return /^[a-z0-9]+$/i.test(text) && attributeKind(text.toLowerCase()) === 'plain' ? text : refused;
    default: {
      const escaped = escapeAttribute(place, target, text, type, isHtml, escaper, context);
      return place.at === 'before-value' || place.quote === '' ? escapeUnquoted(escaped) : escaped;
    }
  }
}

function escapeAttribute(
  place: HtmlContext,
  value: Value,
  text: string,
  type: string,
  isHtml: boolean,
  escaper: string | undefined,
  context: CallContext,
): string {
  switch (attributeKind(place.attribute)) {
    case 'url':
      return escapeText(escapeUrl(place.before, text, type === 'template.URL', escaper === 'urlquery'));
    case 'urls':
      return escapeText(escapeUrl('', text, false, false));
    case 'script':
      return escapeText(escapeScript(place.before, value, text, context));
    case 'style':
      return escapeText(filterStyle(text));
    default:
      return isHtml ? normalizeText(text.replace(/<[^<>]*>/g, '')) : escapeText(text);
  }
}

const escapes: Readonly<Record<string, string>> = { '"': '&#34;', '&': '&amp;', "'": '&#39;', '+': '&#43;', '<': '&lt;', '>': '&gt;' };

function escapeText(text: string): string {
  return text.replace(/["&'+<>]/g, (char) => escapes[char] as string).replaceAll('\0', '\ufffd');
}

/** Escapes markup and quotes, and leaves the escapes that are there. */
function normalizeText(text: string): string {
  return text.replace(/["'+<>]/g, (char) => escapes[char] as string).replaceAll('\0', '\ufffd');
}

function escapeUnquoted(text: string): string {
  if (text === '') return refused;
  return text.replace(/[\t\n\v\f\r =`]/g, (char) => `&#${char.charCodeAt(0)};`);
}

const percent = (char: string) => [...Buffer.from(char)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** A URL or part of one: only http, https and mailto or no scheme at its start; in a query all that could end its part is escaped. */
function escapeUrl(before: string, text: string, trusted: boolean, escaped: boolean): string {
  if (/[?#]/.test(before)) return trusted || escaped ? normalizeUrl(text) : text.replace(/[^A-Za-z0-9\-._~]/gu, percent);
  if (before.trim() === '' && !trusted) {
    const scheme = /^([^:/?#]*):/.exec(text)?.[1]?.toLowerCase();
    if (scheme !== undefined && !['http', 'https', 'mailto'].includes(scheme)) return `#${refused}`;
  }
  return normalizeUrl(text);
}

function normalizeUrl(text: string): string {
  return text.replace(/%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!#$&*+,/:;=?@[\]%]/gu, percent);
}

/** A value in a script: JSON, or inside a string literal its characters. */
function escapeScript(before: string, value: Value, text: string, context: CallContext): string {
  if (openQuote(before)) return text.replace(/[^A-Za-z0-9 _.,:;-]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  try {
    const json = formatJson(value, context.charge);
    return /^["[{]/.test(json) ? json : ` ${json} `;
  } catch (error) {
    if (error instanceof OpsError && error.kind !== 'limit') return ' null ';
    throw error;
  }
}

/** Whether a script so far ends inside a string literal. */
function openQuote(script: string): boolean {
  const open = script.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, '');
  return /["'`]/.test(open);
}

function filterStyle(text: string): string {
  return /^[-\w #.%]*$/.test(text) && !/expression|moz-?binding/i.test(text) ? text : refused;
}

import { isPrintable } from '#alerts/go-quote.ts';

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

/** The function html: text for HTML, in Go's escapes. */
export function escapeHtml(text: string): string {
  return text.replace(/["'&<>]/g, (char) => htmlEscapes[char] as string).replaceAll('\0', '\ufffd');
}

const jsEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** The function js: text for a JavaScript string. */
export function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=]|(?!\u007f)[^ -~]/gu, (char) => {
    const known = jsEscapes[char];
    if (known !== undefined) return known;
    if (char > '\x7f' && isPrintable(char)) return char;
    return `\\u${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** The function urlquery: text for the query of a URL, a space as `+`. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

/** Go's unicode.IsSpace; JavaScript's \s differs by U+0085 and U+FEFF. */
const space = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const spaces = new RegExp(`^[${space}]$`);
const reserved = new RegExp(`[${space}{}!=~,\\\\"'\`]`);
const outer = new RegExp(`^[${space}]+|[${space}]+$`, 'g');

/** True for one character of white space, as Go knows it. */
export function isSpace(char: string): boolean {
  return spaces.test(char);
}

/** True where a text has a character that a matcher may only have in quotes. */
export function isReserved(text: string): boolean {
  return reserved.test(text);
}

/** Go's strings.TrimSpace. */
export function trimSpace(text: string): string {
  return text.replace(outer, '');
}

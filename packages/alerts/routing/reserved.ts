/** Go's unicode.IsSpace; JavaScript's \s differs by U+0085 and U+FEFF. */
const space = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const spaces = new RegExp(`^[${space}]$`);
const reserved = new RegExp(`[${space}{}!=~,\\\\"'\`]`);

/** True for one character of white space, as Go knows it. */
export function isSpace(char: string): boolean {
  return spaces.test(char);
}

/** True where a text has a character that a matcher may only have in quotes. */
export function isReserved(text: string): boolean {
  return reserved.test(text);
}

/** Go's strings.TrimSpace, in time linear in the text. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start] as string)) start++;
  while (end > start && isSpace(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

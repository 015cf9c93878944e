/** At most so many code points, the last of which is then an ellipsis. */
export function truncateCharacters(text: string, max: number): string {
  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}

/** The longest beginning of at most so many bytes of UTF-8 that splits no character. */
export function truncateBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** Without the fields that Go's `omitempty` leaves out: empty texts and lists, false, and what is absent. */
export function omitEmpty<T extends object>(value: T): Partial<T> {
  const isEmpty = (field: unknown) =>
    field === undefined || field === '' || field === false || (Array.isArray(field) && field.length === 0);
  return Object.fromEntries(Object.entries(value).filter(([, field]) => !isEmpty(field))) as Partial<T>;
}

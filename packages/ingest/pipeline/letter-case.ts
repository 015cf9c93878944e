/** Simple lower-case mapping, one character for one, as Go's strings.ToLower: no final sigma, no lengthening. */
export function lowerSimple(text: string): string {
  return isAscii(text) ? text.toLowerCase() : mapEach(text, (char) => (char === 'İ' ? 'i' : char.toLowerCase()));
}

/** Simple upper-case mapping, one character for one, as Go's strings.ToUpper: ß stays ß. */
export function upperSimple(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapEach(text, (char) => iotaUpper(char) ?? char.toUpperCase());
}

function mapEach(text: string, map: (char: string) => string): string {
  let mapped = '';
  for (const char of text) {
    const other = map(char);
    mapped += oneCharacter(other) ? other : char;
  }
  return mapped;
}

function oneCharacter(text: string): boolean {
  return text.length === 1 || (text.length === 2 && (text.codePointAt(0) as number) > 0xffff);
}

/** Greek letters with iota subscript: their simple upper case is one letter, their full one is two. */
function iotaUpper(char: string): string | undefined {
  const code = char.charCodeAt(0);
  if (char.length > 1 || code < 0x1f80 || code > 0x1ff3) return undefined;
  if (code <= 0x1fa7) return (code & 8) === 0 ? String.fromCharCode(code + 8) : char;
  return code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3 ? String.fromCharCode(code + 9) : undefined;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

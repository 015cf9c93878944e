import { OpsError } from '#core/errors.ts';

/** The bare addresses of a list such as `Ops <ops@example.org>, "A, B" <ab@example.org>`. `input` for what is none. */
export function parseMailAddresses(list: string): string[] {
  return splitAddresses(list).map((entry) => {
    const address = (/<([^<>]*)>\s*$/.exec(entry)?.[1] ?? entry).trim();
    // Control characters and brackets would end the command or header that it is put into.
    if (!/^[^\s@<>()[\]\\,;:"\p{Cc}]+@[^\s@<>()\\,;:"\p{Cc}]+$/u.test(address)) {
      throw new OpsError('input', `${JSON.stringify(entry.slice(0, 200))} is no mail address`);
    }
    return address;
  });
}

/** Splits at commas outside of quotes and brackets. */
function splitAddresses(list: string): string[] {
  const entries: string[] = [];
  let entry = '';
  let quoted = false;
  let bracketed = false;
  for (let i = 0; i < list.length; i++) {
    const character = list[i]!;
    if (quoted && character === '\\') entry += character + (list[++i] ?? '');
    else if (character === ',' && !quoted && !bracketed) {
      entries.push(entry);
      entry = '';
    } else {
      if (character === '"') quoted = !quoted;
      else if (!quoted && (character === '<' || character === '>')) bracketed = character === '<';
      entry += character;
    }
  }
  return [...entries, entry].map((text) => text.trim()).filter((text) => text !== '');
}

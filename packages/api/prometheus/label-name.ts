import { OpsError } from '#core/errors.ts';
import { quoteText } from '#query/promql/quote.ts';

/**
 * The label name in an address. A name that starts with `U__` is taken as Prometheus' escaped form of a UTF-8 name (`_2e_` is a dot, `__` an
 * underscore), or as it stands where it is not well formed. `input` for an empty name.
 */
export function readLabelName(segment: string): string {
  const name = segment.startsWith('U__') ? (unescapeName(segment.slice(3)) ?? segment) : segment;
  if (name === '' || !name.isWellFormed()) throw new OpsError('input', `invalid label name: ${quoteText(name)}`);
  return name;
}

function unescapeName(escaped: string): string | undefined {
  let out = '';
  for (let at = 0; at < escaped.length; ) {
    const [whole, hex] = /^(?:_([0-9a-fA-F]{1,6})_|__|[^_])/u.exec(escaped.slice(at, at + 8)) ?? [];
    if (whole === undefined) return undefined;
    const code = hex === undefined ? undefined : Number.parseInt(hex, 16);
    if (code !== undefined && (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))) return undefined;
    out += code !== undefined ? String.fromCodePoint(code) : whole === '__' ? '_' : whole;
    at += whole.length;
  }
  return out;
}

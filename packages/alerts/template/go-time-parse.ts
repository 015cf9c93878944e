import { quoteGo } from '#alerts/go-quote.ts';
import { OpsError } from '#core/errors.ts';
import { createTime, type GoTime } from './go-time.ts';
import { dayNames, layoutPieces, monthNames } from './go-time-format.ts';
import { fixedZone } from './time-zone.ts';

const short = (names: readonly string[]) => names.map((name) => name.slice(0, 3));

/** What each piece of a layout looks like in a text. */
const forms: Readonly<Record<string, string>> = {
  January: `(?<month>${monthNames.join('|')})`,
  Jan: `(?<month>${short(monthNames).join('|')})`,
  Monday: `(?:${dayNames.join('|')})`,
  Mon: `(?:${short(dayNames).join('|')})`,
  MST: '(?:UTC|GMT|[A-Z]{3,5}|[+-]\\d{2})',
  2006: '(?<year>\\d{4})',
  '06': '(?<shortYear>\\d{2})',
  '01': '(?<monthNumber>\\d{2})',
  1: '(?<monthNumber>\\d{1,2})',
  '02': '(?<day>\\d{2})',
  _2: ' ?(?<day>\\d{1,2})',
  2: '(?<day>\\d{1,2})',
  15: '(?<hour>\\d{2})',
  '03': '(?<hour>\\d{2})',
  3: '(?<hour>\\d{1,2})',
  '04': '(?<minute>\\d{2})',
  4: '(?<minute>\\d{1,2})',
  '05': '(?<second>\\d{2})(?:[.,](?<fraction>\\d+))?',
  5: '(?<second>\\d{1,2})(?:[.,](?<fraction>\\d+))?',
  PM: '(?<half>AM|PM)',
  pm: '(?<half>am|pm)',
};

function pieceForm(piece: string): string {
  const known = forms[piece];
  if (known !== undefined) return known;
  if (/^[.,]/.test(piece)) return ''; // seconds take their fraction with them
  const colons = piece.includes(':') ? ':' : '';
  const digits = piece.replace(/[^0-9]/g, '').length;
  const offset = ['\\d{2}', '\\d{2}', '\\d{2}'].slice(0, digits / 2).join(colons);
  return piece.startsWith('Z') ? `(?<offset>Z|[+-]${offset})` : `(?<offset>[+-]${offset})`;
}

/** A time from a text in a layout of Go's, UTC where it names no offset. `input` where it does not fit. */
export function parseLayout(layout: string, text: string): GoTime {
  const refusal = () =>
    new OpsError('input', `parsing time ${quoteGo(text)} as ${quoteGo(layout)}: cannot parse ${quoteGo(text)} as ${quoteGo(layout)}`);
  if (layout.length > 200 || text.length > 200) throw refusal();
  const literal = (part: string) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  let form = '';
  let at = 0;
  for (const { 0: piece, index } of layout.matchAll(layoutPieces)) {
    form += literal(layout.slice(at, index)) + pieceForm(piece);
    at = index + piece.length;
  }
  const groups = [...form.matchAll(/\?<(\w+)>/g)].map(([, name]) => name);
  if (new Set(groups).size < groups.length) throw refusal();
  const match = new RegExp(`^${form}${literal(layout.slice(at))}$`).exec(text);
  const time = match && timeOfParts(match.groups ?? {});
  if (!time) throw refusal();
  return time;
}

function timeOfParts(parts: Record<string, string | undefined>): GoTime | undefined {
  const named = parts.month === undefined ? 0 : monthNames.findIndex((name) => name.startsWith((parts.month as string).slice(0, 3))) + 1;
  const month = named || Number(parts.monthNumber ?? 1);
  const shortYear = Number(parts.shortYear);
  const year = parts.shortYear === undefined ? Number(parts.year ?? 0) : shortYear >= 69 ? 1900 + shortYear : 2000 + shortYear;
  const hour = hourOf(Number(parts.hour ?? 0), parts.half?.toUpperCase());
  const [day, minute, second] = [Number(parts.day ?? 1), Number(parts.minute ?? 0), Number(parts.second ?? 0)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return undefined;
  date.setUTCHours(hour, minute, second);
  const offset = offsetOf(parts.offset);
  const fraction = BigInt((parts.fraction ?? '').slice(0, 9).padEnd(9, '0'));
  return createTime((BigInt(date.getTime()) / 1_000n - BigInt(offset)) * 1_000_000_000n + fraction, fixedZone(offset));
}

function hourOf(hour: number, half: string | undefined): number {
  if (half === 'PM' && hour < 12) return hour + 12;
  return half === 'AM' && hour === 12 ? 0 : hour;
}

function offsetOf(text: string | undefined): number {
  if (text === undefined || text === 'Z') return 0;
  const digits = text.replace(/[^0-9]/g, '');
  const [hours = 0, minutes = 0, seconds = 0] = [0, 2, 4].map((at) => Number(digits.slice(at, at + 2)));
  return (text.startsWith('-') ? -1 : 1) * (hours * 3_600 + minutes * 60 + seconds);
}

import type { ZoneOffset } from './time-zone.ts';

/** What a time reads on the clock of its zone. */
export interface Clock {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
  readonly zone: ZoneOffset;
}

export const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** The pieces of a layout that stand for a part of the time, as Go's reference time (Mon Jan 2 15:04:05 MST 2006) spells them. */
export const layoutPieces =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm|[-Z]07:00:00|[-Z]070000|[-Z]07:00|[-Z]0700|[-Z]07|[.,](?:0+|9+)(?![0-9])/g;

/** A time in a layout of Go's: Time.Format. */
export function formatLayout(layout: string, clock: Clock): string {
  return layout.replace(layoutPieces, (piece) => formatPiece(piece, clock));
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function formatPiece(piece: string, clock: Clock): string {
  const hour12 = clock.hour % 12 === 0 ? 12 : clock.hour % 12;
  switch (piece) {
    case 'January':
      return monthNames[clock.month - 1] as string;
    case 'Jan':
      return (monthNames[clock.month - 1] as string).slice(0, 3);
    case 'Monday':
      return dayNames[clock.weekday] as string;
    case 'Mon':
      return (dayNames[clock.weekday] as string).slice(0, 3);
    case 'MST':
      return clock.zone.abbreviation === '' ? formatOffset('-07', clock.zone.seconds, true) : clock.zone.abbreviation;
    case '2006':
      return clock.year < 0 ? `-${String(-clock.year).padStart(4, '0')}` : String(clock.year).padStart(4, '0');
    case '06':
      return two(((clock.year % 100) + 100) % 100);
    case '01':
      return two(clock.month);
    case '1':
      return String(clock.month);
    case '02':
      return two(clock.day);
    case '_2':
      return String(clock.day).padStart(2);
    case '2':
      return String(clock.day);
    case '002':
      return String(clock.yearDay).padStart(3, '0');
    case '__2':
      return String(clock.yearDay).padStart(3);
    case '15':
      return two(clock.hour);
    case '03':
      return two(hour12);
    case '3':
      return String(hour12);
    case '04':
      return two(clock.minute);
    case '4':
      return String(clock.minute);
    case '05':
      return two(clock.second);
    case '5':
      return String(clock.second);
    case 'PM':
      return clock.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return clock.hour >= 12 ? 'pm' : 'am';
  }
  return /^[.,]/.test(piece) ? formatFraction(piece, clock.nanosecond) : formatOffset(piece, clock.zone.seconds, false);
}

/** `.000` has its digits always, `.999` without the zeros at the end. */
function formatFraction(piece: string, nanosecond: number): string {
  const digits = String(nanosecond)
    .padStart(9, '0')
    .slice(0, piece.length - 1);
  if (piece[1] === '0') return piece[0] + digits;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : piece[0] + trimmed;
}

function formatOffset(piece: string, seconds: number, brief: boolean): string {
  if (piece.startsWith('Z') && seconds === 0) return 'Z';
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? '-' : '+';
  const [hours, minutes, rest] = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60].map(two) as [string, string, string];
  if (brief) return `${sign}${hours}${minutes === '00' ? '' : minutes}`;
  switch (piece.slice(1)) {
    case '07':
      return sign + hours;
    case '0700':
      return sign + hours + minutes;
    case '07:00':
      return `${sign}${hours}:${minutes}`;
    case '070000':
      return sign + hours + minutes + rest;
    default:
      return `${sign}${hours}:${minutes}:${rest}`;
  }
}

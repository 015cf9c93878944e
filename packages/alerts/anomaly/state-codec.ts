import { OpsError } from '#core/errors.ts';
import { type DetectorParameters, detectorParameters } from './parameters.ts';
import type { Range } from './range.ts';
import type { SeasonTable } from './season.ts';
import type { DetectorState } from './state.ts';

// A state's bytes, little-endian: a header of 8 bytes that begins with the version, a byte of visits for each of the 24 hours of a
// day and the 168 of a week, then float64: the numbers that there always are, the recent samples that there are, and the usual
// values of the hours that were visited. At most 2,904 bytes.

/** Of the bytes of a state; another one is refused. */
export const stateVersion = 1;
const DAY_AT = 8;
const WEEK_AT = DAY_AT + 24;
const NUMBERS_AT = WEEK_AT + 168;
/** How many numbers there always are. */
const ALWAYS = 50;

/** The bytes of a state, at most 4 KB; decoding gives an equal one. */
export function encodeDetectorState(state: DetectorState): Uint8Array {
  const { ranges, recent, jump, season } = state;
  const { day, week } = season;
  const filled = Math.min(recent.count, recent.values.length);
  const bytes = new Uint8Array(NUMBERS_AT + 8 * (ALWAYS + filled + countVisited(day.visits) + countVisited(week.visits)));
  bytes[0] = stateVersion;
  bytes.set(day.visits, DAY_AT);
  bytes.set(week.visits, WEEK_AT);
  const numbers = new Float64Array(bytes.buffer, NUMBERS_AT);
  numbers.set([
    recent.count,
    ...[state.expectedIntervalMs, state.lastMs, state.intervalMs, state.longestMs, state.intervals],
    ...[state.seasonDifference, state.seasonSinceMs, state.still, state.stillShare, state.sinceAlert, state.alertExcess],
    ...numbersOfRange(ranges.value),
    ...numbersOfRange(ranges.jump),
    ...numbersOfRange(ranges.season),
    ...numbersOfRange(ranges.level),
    ...numbersOfRange(ranges.motion),
    ...[jump.level, jump.levelError, jump.lastError, jump.lineError, jump.count],
    ...[season.level, season.levelError, season.count],
    ...numbersOfTable(day),
    ...numbersOfTable(week),
  ]);
  numbers.set(recent.values.subarray(0, filled), ALWAYS);
  const weekAt = writeUsual(day, numbers, ALWAYS + filled);
  writeUsual(week, numbers, weekAt);
  return bytes;
}

/** The state of such bytes. `input` if they are of another version, or damaged in a way that shows. */
export function decodeDetectorState(bytes: Uint8Array, { windowSamples }: DetectorParameters = detectorParameters): DetectorState {
  if (bytes[0] !== stateVersion) throw corruptState(`it is of version ${bytes[0]}, this program reads ${stateVersion}`);
  if (bytes.length < NUMBERS_AT + 8 * ALWAYS || bytes.length % 8 !== 0) throw corruptState('it is cut short');
  const own = new Uint8Array(bytes); // a copy that begins where numbers may; the slice of a Buffer is none
  const numbers = new Float64Array(own.buffer, NUMBERS_AT);
  const dayVisits = own.slice(DAY_AT, WEEK_AT);
  const weekVisits = own.slice(WEEK_AT, NUMBERS_AT);
  let at = 0;
  const next = (): number => numbers[at++];
  const nextRange = (): Range => ({ count: next(), low: next(), high: next(), mean: next() });
  const nextTable = (visits: Uint8Array): SeasonTable => ({
    usual: new Float64Array(visits.length),
    visits,
    hour: next(),
    sum: next(),
    samples: next(),
    error: next(),
    forecasts: next(),
  });
  // Read in the order of these lines.
  const count = next();
  const state: DetectorState = {
    recent: { values: new Float64Array(2 * windowSamples), count },
    expectedIntervalMs: next(),
    lastMs: next(),
    intervalMs: next(),
    longestMs: next(),
    intervals: next(),
    seasonDifference: next(),
    seasonSinceMs: next(),
    still: next(),
    stillShare: next(),
    sinceAlert: next(),
    alertExcess: next(),
    ranges: { value: nextRange(), jump: nextRange(), season: nextRange(), level: nextRange(), motion: nextRange() },
    jump: { level: next(), levelError: next(), lastError: next(), lineError: next(), count: next() },
    season: { level: next(), levelError: next(), count: next(), day: nextTable(dayVisits), week: nextTable(weekVisits) },
  };
  readArrays(state, numbers);
  return state;
}

function readArrays({ recent, season }: DetectorState, numbers: Float64Array): void {
  if (!Number.isSafeInteger(recent.count) || recent.count < 0) throw corruptState('it has no count of samples');
  const filled = Math.min(recent.count, recent.values.length);
  const { day, week } = season;
  const expected = ALWAYS + filled + countVisited(day.visits) + countVisited(week.visits);
  if (numbers.length !== expected) throw corruptState('its length is not what it says');
  recent.values.set(numbers.subarray(ALWAYS, ALWAYS + filled));
  const weekAt = readUsual(day, numbers, ALWAYS + filled);
  readUsual(week, numbers, weekAt);
}

function numbersOfRange({ count, low, high, mean }: Range): number[] {
  return [count, low, high, mean];
}

function numbersOfTable({ hour, sum, samples, error, forecasts }: SeasonTable): number[] {
  return [hour, sum, samples, error, forecasts];
}

function countVisited(visits: Uint8Array): number {
  let count = 0;
  for (const n of visits) if (n > 0) count++;
  return count;
}

function writeUsual({ usual, visits }: SeasonTable, numbers: Float64Array, from: number): number {
  let at = from;
  for (let hour = 0; hour < usual.length; hour++) if (visits[hour] > 0) numbers[at++] = usual[hour];
  return at;
}

function readUsual({ usual, visits }: SeasonTable, numbers: Float64Array, from: number): number {
  let at = from;
  for (let hour = 0; hour < usual.length; hour++) if (visits[hour] > 0) usual[hour] = numbers[at++];
  return at;
}

function corruptState(what: string): OpsError {
  return new OpsError('input', `the state of a detector cannot be read: ${what}`, {
    hint: 'it is truncated, damaged or of another version; without it the series is learned anew',
  });
}

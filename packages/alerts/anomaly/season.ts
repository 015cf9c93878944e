import type { DetectorParameters } from './parameters.ts';

const HOUR_MS = 3_600_000;

/** Usual values by the hour of a day (24) or of a week (168), UTC. */
export interface SeasonTable {
  /** By hour; means nothing without visits. */
  readonly usual: Float64Array;
  /** How often each hour was learned, up to 255. */
  readonly visits: Uint8Array;
  /** The hour that is under way, its sum and its number of samples; -1 before the first. */
  hour: number;
  sum: number;
  samples: number;
  /** Mean distance of samples from their forecast, and of how many. */
  error: number;
  forecasts: number;
}

/** Both tables, and the plain level that they have to beat. */
export interface Season {
  readonly day: SeasonTable;
  readonly week: SeasonTable;
  level: number;
  levelError: number;
  count: number;
}

/** A forecast's error is trusted after so many. */
const TRUSTED = 100;

export function createSeason(): Season {
  return { day: createTable(24), week: createTable(168), level: 0, levelError: 0, count: 0 };
}

function createTable(hours: number): SeasonTable {
  return { usual: new Float64Array(hours), visits: new Uint8Array(hours), hour: -1, sum: 0, samples: 0, error: 0, forecasts: 0 };
}

/** A usual value, and by which table it is. */
export interface Usual {
  readonly value: number;
  readonly by: 'day' | 'week';
}

/** What is usual at a time; undefined where no table is much better than the plain level. */
export function usualAt(season: Season, tsMs: number, parameters: DetectorParameters): Usual | undefined {
  const { day, week, levelError } = season;
  const dayError = day.forecasts > TRUSTED ? day.error : Number.POSITIVE_INFINITY;
  const weekError = week.forecasts > TRUSTED ? week.error : Number.POSITIVE_INFINITY;
  if (!(Math.min(dayError, weekError) < parameters.betterShare * levelError)) return undefined;
  const order = weekError < dayError ? (['week', 'day'] as const) : (['day', 'week'] as const);
  for (const by of order) {
    const value = lookUp(season[by], tsMs, by === 'day' ? parameters.seasonVisits : 1);
    if (value !== undefined) return { value, by };
  }
  return undefined;
}

/** Between the middles of the two nearest hours; undefined where one of them is not known. */
function lookUp({ usual, visits }: SeasonTable, tsMs: number, least: number): number | undefined {
  const hours = usual.length;
  const place = tsMs / HOUR_MS - 0.5;
  const before = Math.floor(place);
  const [a, b] = [wrap(before, hours), wrap(before + 1, hours)];
  if (visits[a] < least || visits[b] < least) return undefined;
  return usual[a] + (usual[b] - usual[a]) * (place - before);
}

const wrap = (hour: number, hours: number): number => ((hour % hours) + hours) % hours;

/** Takes a sample in. An hour is learned as a whole when the next one begins. */
export function learnSeason(season: Season, tsMs: number, value: number, parameters: DetectorParameters): void {
  if (season.count === 0) season.level = value;
  season.count++;
  season.levelError += (Math.abs(value - season.level) - season.levelError) / Math.min(season.count, parameters.errorSamples);
  season.level += (value - season.level) / Math.min(season.count, parameters.levelSamples);
  const most = parameters.seasonClip * season.levelError;
  learnTable(season.day, tsMs, value, { least: parameters.seasonVisits, most, parameters });
  learnTable(season.week, tsMs, value, { least: 1, most, parameters });
}

interface TableOptions {
  readonly least: number;
  /** By how much an hour may move at once. */
  readonly most: number;
  readonly parameters: DetectorParameters;
}

function learnTable(table: SeasonTable, tsMs: number, value: number, { least, most, parameters }: TableOptions): void {
  const forecast = lookUp(table, tsMs, least);
  if (forecast !== undefined) {
    table.forecasts++;
    table.error += (Math.abs(value - forecast) - table.error) / Math.min(table.forecasts, parameters.errorSamples);
  }
  const hour = wrap(Math.floor(tsMs / HOUR_MS), table.usual.length);
  if (hour !== table.hour) {
    if (table.samples > 0) learnHour(table, table.sum / table.samples, most, parameters.seasonRate);
    Object.assign(table, { hour, sum: 0, samples: 0 });
  }
  table.sum += value;
  table.samples++;
}

function learnHour({ usual, visits, hour }: SeasonTable, mean: number, most: number, rate: number): void {
  const known = visits[hour];
  if (known < 255) visits[hour]++;
  if (known === 0) usual[hour] = mean;
  else usual[hour] += Math.max(rate, 1 / (known + 1)) * Math.max(-most, Math.min(most, mean - usual[hour]));
}

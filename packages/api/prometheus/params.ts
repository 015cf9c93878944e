import { isOpsError, OpsError } from '#core/errors.ts';
import { compileMatcher, type Matcher } from '#model/matcher.ts';
import type { Expr } from '#query/promql/ast.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { parseSelector } from '#query/promql/parse-selector.ts';
import { quoteText } from '#query/promql/quote.ts';
import { MAX_TIME_MS, MIN_TIME_MS, parseSpan, parseTime } from './parse-time.ts';

/** The most steps of a range query, less one. */
const MAX_STEPS = 11_000;

/** What query and query_range have in common. */
export interface QueryParams {
  readonly text: string;
  readonly expr: Expr;
  /** Undefined where none is asked for; zero or less is over before it began. */
  readonly timeoutMs: number | undefined;
  /** Undefined where the engine's own is meant. */
  readonly lookbackMs: number | undefined;
  /** How rate and its kin extrapolate: as Prometheus 3, or as 2 did (for comparing answers during a migration). */
  readonly extrapolation: '2.x' | '3.x';
  /** The most series to answer; 0 is all. */
  readonly limit: number;
}

/** What an instant query asks for. */
export interface InstantParams extends QueryParams {
  readonly timeMs: number;
}

/** What a range query asks for; `stepMs` is at least 1. */
export interface RangeParams extends QueryParams {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** What series, labels and label values ask for. */
export interface SeriesParams {
  readonly startMs: number;
  readonly endMs: number;
  /** A series is meant that fits any of these; none means every series. */
  readonly matchers: readonly (readonly Matcher[])[];
  readonly limit: number;
}

/** Runs a reader of one parameter; its message is prefixed with the parameter's name as Prometheus does. */
function readParam<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isOpsError(error, 'input')) throw error;
    throw new OpsError('input', `invalid parameter ${quoteText(name)}: ${error.message}`, { cause: error });
  }
}

function refuse(name: string, message: string): never {
  throw new OpsError('input', `invalid parameter ${quoteText(name)}: ${message}`);
}

function readLimit(form: URLSearchParams): number {
  const text = form.get('limit') ?? '';
  if (text === '') return 0;
  const shown = `strconv.Atoi: parsing ${quoteText(text)}`;
  if (!/^[+-]?\d+$/.test(text)) return refuse('limit', `${shown}: invalid syntax`);
  const value = BigInt(text.replace(/^\+/, ''));
  if (value >= 2n ** 63n || value < -(2n ** 63n)) return refuse('limit', `${shown}: value out of range`);
  if (value < 0n) return refuse('limit', 'limit must be non-negative');
  return Number(value);
}

/** A limit of /api/v1/metadata, where -1 is none. `input` in Prometheus' words. */
export function readCount(form: URLSearchParams, name: string): number {
  const text = form.get(name) ?? '';
  if (text === '') return -1;
  if (/^[+-]?\d{1,18}$/.test(text)) return Number(text);
  throw new OpsError('input', `${name} must be a number`);
}

function readTimeOr(form: URLSearchParams, name: string, missingMs: number): number {
  const text = form.get(name) ?? '';
  if (text === '') return missingMs;
  return readParam(name, () => {
    try {
      return parseTime(text);
    } catch (error) {
      throw new OpsError('input', `invalid time value for '${name}': ${(error as Error).message}`, { cause: error });
    }
  });
}

function readTimeout(form: URLSearchParams): number | undefined {
  const text = form.get('timeout') ?? '';
  return text === '' ? undefined : readParam('timeout', () => parseSpan(text));
}

function readLookback(form: URLSearchParams): number | undefined {
  const text = form.get('lookback_delta') ?? '';
  if (text === '') return undefined;
  try {
    const lookbackMs = parseSpan(text);
    return lookbackMs > 0 ? lookbackMs : undefined;
  } catch (error) {
    throw new OpsError('input', `error parsing lookback delta duration: ${(error as Error).message}`, { cause: error });
  }
}

function readExtrapolation(form: URLSearchParams): '2.x' | '3.x' {
  const text = form.get('extrapolation') ?? '';
  if (text === '' || text === '3.x') return '3.x';
  return text === '2.x' ? '2.x' : refuse('extrapolation', `unknown value ${quoteText(text)}, must be 2.x or 3.x`);
}

/** The expression in `query`. `input` as `invalid parameter "query": 1:5: parse error: ...`. */
export function readQuery(form: URLSearchParams): { readonly text: string; readonly expr: Expr } {
  const text = form.get('query') ?? '';
  return { text, expr: readParam('query', () => parseExpr(text)) };
}

/** The parameters of /api/v1/query, checked in Prometheus' order. `input` with its own words. */
export function readInstantParams(form: URLSearchParams, nowMs: number): InstantParams {
  const limit = readLimit(form);
  const timeMs = readTimeOr(form, 'time', nowMs);
  const timeoutMs = readTimeout(form);
  const lookbackMs = readLookback(form);
  return { limit, timeMs, timeoutMs, lookbackMs, extrapolation: readExtrapolation(form), ...readQuery(form) };
}

/** The parameters of /api/v1/query_range, checked in Prometheus' order. `input` with its own words. */
export function readRangeParams(form: URLSearchParams): RangeParams {
  const limit = readLimit(form);
  const startMs = readParam('start', () => parseTime(form.get('start') ?? ''));
  const endMs = readParam('end', () => parseTime(form.get('end') ?? ''));
  if (endMs < startMs) return refuse('end', 'end timestamp must not be before start time');
  const stepMs = readParam('step', () => parseSpan(form.get('step') ?? ''));
  if (stepMs <= 0) return refuse('step', 'zero or negative query resolution step widths are not accepted. Try a positive integer');
  if (Math.floor((endMs - startMs) / stepMs) > MAX_STEPS) {
    const advice = 'Try decreasing the query resolution (?step=XX)';
    throw new OpsError('input', `exceeded maximum resolution of 11,000 points per timeseries. ${advice}`);
  }
  const timeoutMs = readTimeout(form);
  const lookbackMs = readLookback(form);
  return { limit, startMs, endMs, stepMs, timeoutMs, lookbackMs, extrapolation: readExtrapolation(form), ...readQuery(form) };
}

/** The most selectors of one request: each is asked of every series. */
const MAX_MATCH_SETS = 1_000;

function parseMatchSets(texts: readonly string[]): (readonly Matcher[])[] {
  if (texts.length > MAX_MATCH_SETS) throw new OpsError('input', `${texts.length} match[] parameters are more than ${MAX_MATCH_SETS}`);
  const sets = texts.map(parseSelector);
  for (const matchers of sets) {
    if (matchers.some((matcher) => !compileMatcher(matcher)(''))) continue;
    throw new OpsError('input', 'match[] must contain at least one non-empty matcher');
  }
  return sets;
}

/**
 * The parameters of /api/v1/series, which must have a match[], and of labels and label values, which need none. `input` with Prometheus'
 * own words, which name the parameter match[] for series alone.
 */
export function readSeriesParams(form: URLSearchParams, endpoint: 'series' | 'labels'): SeriesParams {
  const texts = form.getAll('match[]');
  if (endpoint === 'series' && texts.length === 0) throw new OpsError('input', 'no match[] parameter provided');
  const limit = readLimit(form);
  const startMs = readTimeOr(form, 'start', MIN_TIME_MS);
  const endMs = readTimeOr(form, 'end', MAX_TIME_MS);
  const matchers = endpoint === 'series' ? readParam('match[]', () => parseMatchSets(texts)) : parseMatchSets(texts);
  return { startMs, endMs, matchers, limit };
}

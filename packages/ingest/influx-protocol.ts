import { type ErrorKind, OpsError } from '#core/errors.ts';
import type { Rejection } from './decoded.ts';

/** Unit of the timestamps of a write. */
export type InfluxPrecision = 'ns' | 'us' | 'ms' | 's' | 'm' | 'h';

/** Which API a write came by: 1 is `/write`, 2 is `/api/v2/write`. */
export type InfluxVersion = 1 | 2;

const PRECISIONS: Readonly<Record<InfluxVersion, Readonly<Record<string, InfluxPrecision>>>> = {
  1: { n: 'ns', ns: 'ns', u: 'us', us: 'us', '\u00b5': 'us', ms: 'ms', s: 's', m: 'm', h: 'h' },
  2: { ns: 'ns', us: 'us', ms: 'ms', s: 's' },
};

/** What the `precision` parameter names; nanoseconds where there is none. `input` for what the version does not know. */
export function parseInfluxPrecision(version: InfluxVersion, precision: string | undefined): InfluxPrecision {
  if (!precision) return 'ns';
  const known = PRECISIONS[version];
  if (Object.hasOwn(known, precision)) return known[precision] as InfluxPrecision;
  const accepted = Object.keys(known).join(', ');
  throw new OpsError('input', `precision ${JSON.stringify(precision.slice(0, 20))} is not known; accepted are ${accepted}`);
}

/** What a writer has to be told: an OpsError fits. */
export interface InfluxProblem {
  readonly kind: ErrorKind;
  readonly message: string;
  /** Points left out of a write whose other points were kept. */
  readonly dropped?: number | undefined;
}

/** What to answer a write of which something was left out, or undefined. Fields of text are no error: every writer sends some, and no metric holds them. */
export function findInfluxProblem(rejections: readonly Rejection[]): InfluxProblem | undefined {
  const problems = rejections.filter(({ reason }) => reason !== TEXT_FIELD);
  const [first] = problems;
  return first && { kind: 'input', message: first.message, dropped: problems.reduce((sum, { count }) => sum + count, 0) };
}

/** The reason under which text fields are counted. */
export const TEXT_FIELD = 'text-field';

const V2_CODES: Readonly<Record<ErrorKind, string>> = {
  input: 'invalid',
  missing: 'not found',
  conflict: 'conflict',
  denied: 'forbidden',
  limit: 'request too large',
  unavailable: 'unavailable',
};

/** The JSON body that clients of either version look for in an answer other than 204. */
export function influxErrorBody(version: InfluxVersion, { kind, message, dropped }: InfluxProblem): Record<string, string> {
  const text = dropped === undefined ? message : `partial write: ${message} dropped=${dropped}`;
  return version === 1 ? { error: text } : { code: V2_CODES[kind], message: text };
}

import type { QueryErrorType } from '#query/query-errors.ts';

/** Prometheus' names for what went wrong. */
export type ErrorType = QueryErrorType | 'not_found' | 'not_acceptable' | 'unavailable';

/** The status that Prometheus answers with each error type; 499 is what nginx calls a client that has gone. */
export const statusOfErrorType = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  unavailable: 503,
  internal: 500,
  not_found: 404,
  not_acceptable: 406,
} as const satisfies Record<ErrorType, number>;

/** What an answer says beside its data. */
export interface Notes {
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

export const NO_NOTES: Notes = { warnings: [], infos: [] };

/** What is said where `limit` cut the result. */
export const TRUNCATED = 'results truncated due to limit';

/** The body of a refusal: `{"status":"error","errorType":"bad_data","error":"..."}`. */
export function errorJson(errorType: ErrorType, message: string): string {
  return JSON.stringify({ status: 'error', errorType, error: message });
}

/** What every good answer begins with; the data follows. */
export const SUCCESS_HEAD = '{"status":"success","data":';

/** What follows the data of a good answer. */
export function successTail({ warnings, infos }: Notes): string {
  const warned = warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(warnings)}`;
  return infos.length === 0 ? `${warned}}` : `${warned},"infos":${JSON.stringify(infos)}}`;
}

/** The body of a good answer whose data is small. */
export function successJson(data: unknown, notes: Notes = NO_NOTES): string {
  return `${SUCCESS_HEAD}${JSON.stringify(data)}${successTail(notes)}`;
}

/** A list cut to what `limit` allows (0 is all), and the notes to go with it. */
export function limitList<T>(items: readonly T[], limit: number, notes: Notes = NO_NOTES): { items: readonly T[]; notes: Notes } {
  if (limit === 0 || items.length <= limit) return { items, notes };
  return { items: items.slice(0, limit), notes: { ...notes, warnings: [...notes.warnings, TRUNCATED] } };
}

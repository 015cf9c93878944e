import { OpsError } from '#core/errors.ts';
import { seriesFromLabels } from '#model/series.ts';
import type { MemorySample } from '#ports/memory/memory-sample-source.ts';
import type { SampleSource } from '#ports/sample-source.ts';
import { type EvaluateInput, evaluateQuery } from '#query/evaluate.ts';
import { parseExpr } from '#query/promql/parse.ts';
import type { QueryResult } from '#query/query-result.ts';

export const minute = 60_000;

/** A series of that name and labels. */
export function series(name: string, labels: Record<string, string> = {}) {
  return seriesFromLabels(Object.entries({ __name__: name, ...labels }).map(([label, value]) => ({ name: label, value })));
}

/** One sample a minute from 0 on. */
export function everyMinute(values: readonly number[], more: Partial<MemorySample> = {}): MemorySample[] {
  return values.map((value, i) => ({ ts: i * minute, value, ...more }));
}

/** Evaluates a query, at time 0 with generous limits unless told otherwise. */
export function evaluate(source: SampleSource, query: string, more: Partial<EvaluateInput> = {}): Promise<QueryResult> {
  const limits = { maxSeries: 100, maxSamples: 10_000, maxBytes: 1e9, timeoutMs: 10_000 };
  const input = {
    tenant: 't',
    expr: parseExpr(query),
    query,
    startMs: 0,
    endMs: 0,
    stepMs: 0,
    lookbackMs: 5 * minute,
    limits,
    now: Date.now,
  };
  return evaluateQuery({ source }, { ...input, ...more });
}

/** All values of a result in order. */
export async function valuesOf(source: SampleSource, query: string, more: Partial<EvaluateInput> = {}): Promise<number[]> {
  const result = await evaluate(source, query, more);
  if (result.type === 'scalar') return [result.value];
  if (result.type === 'vector') return [...result.values];
  if (result.type === 'matrix') return result.series.flatMap(({ values }) => [...values]);
  throw new Error('a string has no values');
}

/** The OpsError that a promise must fail with. */
export async function failureOf(promise: Promise<unknown>): Promise<OpsError> {
  const error = await promise.catch((reason: unknown) => reason);
  if (error instanceof OpsError) return error;
  throw new Error(`expected an OpsError, got ${error}`);
}

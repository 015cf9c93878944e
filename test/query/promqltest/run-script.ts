import { createMemorySource, type MemorySource } from '#ports/memory/memory-sample-source.ts';
import { evaluateQuery } from '#query/evaluate.ts';
import type { Expr } from '#query/promql/ast.ts';
import { parseExpr } from '#query/promql/parse.ts';
import type { QueryResult } from '#query/query-result.ts';
import { compareAnnotations, compareResult, compareVector, findUnsorted, meets } from './compare.ts';
import { pinTimes } from './pin-times.ts';
import { type EvalCommand, parseScript } from './script.ts';

/** What came of one eval command; `problem` is undefined where it passed. */
export interface Outcome {
  readonly line: number;
  readonly expr: string;
  readonly problem: string | undefined;
  /** Native histograms were loaded before it, or are expected of it. */
  readonly histograms: boolean;
}

/** Runs a script over a source of its own and reports on every eval command. */
export async function runScript(text: string): Promise<Outcome[]> {
  const source = createMemorySource();
  const outcomes: Outcome[] = [];
  let histograms = false;
  for (const command of parseScript(text)) {
    if (command.kind === 'clear') {
      source.clear();
      histograms = false;
    } else if (command.kind === 'load') {
      histograms ||= command.histograms;
      for (const { series, samples } of command.series) if (samples.length > 0) source.append(series, samples);
    } else {
      const expected = [...command.expected.values()].some(({ values }) => values.some(({ kind }) => kind === 'histogram'));
      outcomes.push({
        line: command.line,
        expr: command.expr,
        problem: await runEval(source, command),
        histograms: histograms || expected,
      });
    }
  }
  return outcomes;
}

async function runEval(source: MemorySource, command: EvalCommand): Promise<string | undefined> {
  let expr: Expr;
  try {
    expr = parseExpr(command.expr);
  } catch (error) {
    return checkFailure(command, error);
  }
  const first = await checkOnce(source, command, expr, command.expectMatrix ? command.endMs : command.startMs);
  if (first !== undefined || command.isRange) return first;
  return checkPinned(source, command, expr);
}

/** An instant result is the same at any time once every selector is pinned to its time. */
async function checkPinned(source: MemorySource, command: EvalCommand, expr: Expr): Promise<string | undefined> {
  const timeMs = command.expectMatrix ? command.endMs : command.startMs;
  const pinned = pinTimes(expr, timeMs);
  if (pinned === undefined) return undefined;
  for (const time of timeMs === 0 ? [-1000, 0, 1000] : [-10 * timeMs, 0, timeMs / 5, timeMs, 10 * timeMs]) {
    const problem = await checkOnce(source, command, pinned, Math.trunc(time));
    if (problem !== undefined) return `pinned, at ${time}: ${problem}`;
  }
  return undefined;
}

/** Evaluates at one time (or the command's range), and an instant query again as the middle of a range. */
async function checkOnce(source: MemorySource, command: EvalCommand, expr: Expr, timeMs: number): Promise<string | undefined> {
  const times = command.isRange ? command : { startMs: timeMs, endMs: timeMs, stepMs: 0 };
  let result: QueryResult;
  try {
    result = await evaluate(source, command, expr, times);
  } catch (error) {
    return checkFailure(command, error);
  }
  if (command.fail) return 'expected it to fail';
  const problem = compareAnnotations(command, result) ?? compareResult(command, result);
  if (problem !== undefined || command.isRange || command.expectMatrix || command.expectString !== undefined) return problem;
  if (/(?:start|end|range|step)\(\)/.test(command.expr)) return undefined;
  const around = await evaluate(source, command, expr, { startMs: timeMs - 60_000, endMs: timeMs + 60_000, stepMs: 60_000 });
  const inRange = command.ordered ? undefined : compareMiddle(command, around, result.type, timeMs);
  return inRange === undefined ? undefined : `in range mode: ${inRange}`;
}

function compareMiddle(command: EvalCommand, around: QueryResult, type: QueryResult['type'], timeMs: number): string | undefined {
  if (around.type !== 'matrix') return `expected a matrix, got a ${around.type}`;
  const unsorted = findUnsorted(around.series);
  if (unsorted) return unsorted;
  const middle = around.series.flatMap(({ series, ts, values }) => {
    const at = ts.indexOf(timeMs);
    return at < 0 ? [] : [{ series, value: values[at] as number }];
  });
  if (type === 'scalar') {
    return compareResult(command, { ...around, type: 'scalar', tMs: timeMs, value: middle[0]?.value ?? Number.NaN });
  }
  return compareVector(
    command,
    middle.map(({ series }) => series),
    middle.map(({ value }) => value),
  );
}

function evaluate(
  source: MemorySource,
  command: EvalCommand,
  expr: Expr,
  times: { startMs: number; endMs: number; stepMs: number },
): Promise<QueryResult> {
  const { startMs, endMs, stepMs } = times;
  const limits = { maxSeries: 10_000, maxSamples: 10_000, maxBytes: Number.MAX_SAFE_INTEGER, timeoutMs: 100_000 };
  const query = command.expr;
  return evaluateQuery({ source }, { tenant: 'test', expr, query, startMs, endMs, stepMs, lookbackMs: 300_000, limits, now: Date.now });
}

function checkFailure(command: EvalCommand, error: unknown): string | undefined {
  const { message, name, stack } = error as Error;
  if (name !== 'OpsError') return `broke: ${stack}`;
  if (!command.fail) return `failed: ${message}`;
  return meets(command.fail, message) ? undefined : `expected to fail with ${command.fail.message ?? command.fail.pattern}, got ${message}`;
}

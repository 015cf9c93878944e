import { createHash } from 'node:crypto';
import type { DetectorMemory, ExplainedSample } from '#alerts/detectors/detector.ts';
import { OpsError } from '#core/errors.ts';
import { labelsJson, type Series, seriesFromJson } from '#model/series.ts';
import type { InstantSample } from '#ports/query.ts';
import { observeChange } from './change.ts';
import { observeCount } from './count.ts';
import { observeFlapping } from './flapping.ts';
import { observeHeartbeat } from './heartbeat.ts';
import type { Observed, Seen } from './observation.ts';
import { conditionsOf, type Pattern, type PatternDetector } from './pattern.ts';
import { observeSequence } from './sequence.ts';
import { observeStuck } from './stuck.ts';

/** Of the rows of all patterns; what was written under another one is not read. */
const VERSION = 1;
/** Most label sets that one detector remembers. */
export const MAX_LABEL_SETS = 10_000;
/** Most numbers that it remembers of all of them. */
const MAX_NUMBERS = 1_000_000;

export interface PatternInput {
  readonly detector: PatternDetector;
  readonly memory: DetectorMemory | undefined;
  readonly atMs: number;
}

/**
 * One evaluation of a pattern: asks its conditions at one time, and goes through every label set that one of them gives or that is
 * remembered. A label set that is found carries the explanation it had when that began.
 */
export async function observePattern(
  { ask }: { ask: (expr: string) => Promise<readonly InstantSample[]> },
  { detector, memory, atMs }: PatternInput,
): Promise<{ readonly vector: readonly ExplainedSample[]; readonly memory: DetectorMemory }> {
  const { pattern } = detector;
  const form = formOf(detector);
  const known = memory?.form === form ? memory : undefined;
  const seen = await askAll(ask, detector, atMs);
  const former = new Map(known?.rows.map((entry) => [entry[0], entry]));
  const vector: ExplainedSample[] = [];
  const rows: DetectorMemory['rows'][number][] = [];
  let isSame = known !== undefined;
  for (const labels of new Set([...former.keys(), ...seen.keys()])) {
    const before = former.get(labels);
    const values = seen.get(labels)?.values ?? conditionsOf(pattern).map(() => undefined);
    const { row, found } = observe(pattern, before?.[1], { values, atMs, isFirst: known === undefined });
    const explanation = found && (before?.[2] ?? found.explain());
    if (found) vector.push({ series: seen.get(labels)?.series ?? seriesFromJson('', labels), value: found.value, explanation });
    isSame &&= row === before?.[1] && (row === undefined || explanation === before?.[2]);
    if (row !== undefined) rows.push(isSame && before ? before : explanation === undefined ? [labels, row] : [labels, row, explanation]);
  }
  if (known && isSame) return { vector, memory: known };
  assertSize(rows);
  return { vector, memory: { form, rows } };
}

/** How many label sets a pattern remembers, and its bounds, are looked at after what is there has had its turn: a limit changes nothing. */
function assertSize(rows: DetectorMemory['rows']): void {
  const hint = 'Aggregate its expressions, name fewer labels in by, or take a shorter window.';
  if (rows.length > MAX_LABEL_SETS) {
    throw new OpsError('limit', `the detector has ${rows.length} label sets to remember; at most ${MAX_LABEL_SETS} are kept`, { hint });
  }
  const numbers = rows.reduce((sum, [, row]) => sum + countNumbers(row), 0);
  if (numbers > MAX_NUMBERS) {
    throw new OpsError('limit', `the detector has ${numbers} values to remember; at most ${MAX_NUMBERS} are kept`, { hint });
  }
}

function countNumbers(row: unknown): number {
  if (typeof row !== 'object' || row === null) return 1;
  let count = 0;
  for (const part of Object.values(row)) count += countNumbers(part);
  return count;
}

function observe(pattern: Pattern, before: unknown, seen: Seen): Observed<unknown> {
  switch (pattern.form) {
    case 'sequence':
      return observeSequence(pattern, before as Parameters<typeof observeSequence>[1], seen);
    case 'count':
      return observeCount(pattern, before as Parameters<typeof observeCount>[1], seen);
    case 'flapping':
      return observeFlapping(pattern, before as Parameters<typeof observeFlapping>[1], seen);
    case 'heartbeat':
      return observeHeartbeat(pattern, before as Parameters<typeof observeHeartbeat>[1], seen);
    case 'change':
      return observeChange(pattern, before as Parameters<typeof observeChange>[1], seen);
    case 'stuck':
      return observeStuck(pattern, before as Parameters<typeof observeStuck>[1], seen);
  }
}

/** The definition of a detector in 16 characters. */
function formOf({ by, pattern }: PatternDetector): string {
  return createHash('sha256')
    .update(JSON.stringify([VERSION, by, pattern]))
    .digest('hex')
    .slice(0, 16);
}

interface SeenSeries {
  readonly series: Series;
  readonly values: (number | undefined)[];
}

/** What the conditions give, by the canonical JSON of the labels. Of several series of one condition the first stands for them. */
async function askAll(
  ask: (expr: string) => Promise<readonly InstantSample[]>,
  { by, pattern }: PatternDetector,
  atMs: number,
): Promise<Map<string, SeenSeries>> {
  const conditions = conditionsOf(pattern);
  const seen = new Map<string, SeenSeries>();
  const asked = new Map<string, readonly InstantSample[]>();
  for (const [i, { name, expr }] of conditions.entries()) {
    const samples = asked.get(expr) ?? (await ask(expr));
    asked.set(expr, samples);
    const isValue = i === 0 && (pattern.form === 'change' || pattern.form === 'stuck');
    for (const sample of samples) {
      const series = groupSeries(sample.series, by);
      const known = seen.get(series.json) ?? { series, values: conditions.map(() => undefined) };
      if (isValue && known.values[i] !== undefined) throw ambiguous(name, series, atMs);
      known.values[i] ??= sample.value;
      seen.set(series.json, known);
    }
  }
  return seen;
}

function ambiguous(name: string, { json }: Series, atMs: number): OpsError {
  return new OpsError('input', `${name}: several series have the labels ${json} at ${new Date(atMs).toISOString()}`, {
    hint: 'Aggregate the expression, or name more labels in by.',
  });
}

function groupSeries({ labels, json }: Series, by: readonly string[] | undefined): Series {
  if (by === undefined) return { metric: '', labels, json };
  const own = labels.filter(({ name }) => by.includes(name));
  return { metric: '', labels: own, json: labelsJson(own) };
}

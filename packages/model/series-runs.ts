import { createHash } from 'node:crypto';
import { type Series, seriesKey } from './series.ts';

/**
 * Consecutive series of a batch that came together before. Senders repeat their series in the same order, so what is derived
 * from a run (its digest, its encoding) is worked out once and found again by the run's first series.
 */
export interface SeriesRun {
  readonly series: readonly Series[];
  /** SHA-256 over the digests of its series. */
  readonly digest: Uint8Array;
}

/** A run ends after a series whose digest has these bits zero (one in 64), so that runs meet again after a shift... */
const BOUNDARY_MASK = 63;
/** ...and after this many series. */
const MAX_RUN = 256;

const runsByFirst = new WeakMap<Series, SeriesRun>();
const digests = new WeakMap<Series, Buffer>();

/** Cuts a list of series into runs. Where the cuts fall depends on the list alone, not on what came before. */
export function splitRuns(series: readonly Series[]): SeriesRun[] {
  const runs: SeriesRun[] = [];
  for (let from = 0; from < series.length; ) {
    const known = runsByFirst.get(series[from]);
    const run = known && isPrefix(known, series, from) ? known : makeRun(series, from);
    runs.push(run);
    from += run.series.length;
  }
  return runs;
}

/** A run that ended at the end of its list, not at a boundary, is only the same if this list ends there too. */
function isPrefix(run: SeriesRun, series: readonly Series[], from: number): boolean {
  const { length } = run.series;
  if (from + length > series.length) return false;
  for (let i = 0; i < length; i++) if (run.series[i] !== series[from + i]) return false;
  return from + length === series.length || endsRun(run.series[length - 1], length);
}

function makeRun(series: readonly Series[], from: number): SeriesRun {
  let to = from;
  do to++;
  while (to < series.length && !endsRun(series[to - 1], to - from));
  const part = series.slice(from, to);
  const hash = createHash('sha256');
  for (const one of part) hash.update(digestOf(one));
  const run = { series: part, digest: hash.digest() };
  runsByFirst.set(series[from], run);
  return run;
}

function endsRun(last: Series, length: number): boolean {
  return length >= MAX_RUN || (digestOf(last)[0] & BOUNDARY_MASK) === 0;
}

function digestOf(series: Series): Buffer {
  let digest = digests.get(series);
  if (!digest) {
    digest = createHash('sha256').update(seriesKey(series)).digest();
    digests.set(series, digest);
  }
  return digest;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Rows first to last, both inside, that a person marked as anomalous. */
export interface NabWindow {
  readonly first: number;
  readonly last: number;
}

/** One series of the Numenta Anomaly Benchmark, named `folder/file.csv`. Times are taken as UTC; some repeat, one runs back. */
export interface NabSeries {
  readonly name: string;
  readonly tsMs: Float64Array;
  readonly value: Float64Array;
  readonly windows: readonly NabWindow[];
}

const parseTime = (text: string): number => Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);

/** All series below `data/`, sorted by name, with the windows of `labels/combined_windows.json`. */
export function readNabCorpus(root: string): NabSeries[] {
  const labels = JSON.parse(readFileSync(join(root, 'labels/combined_windows.json'), 'utf8')) as Record<string, [string, string][]>;
  const folders = readdirSync(join(root, 'data'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.flatMap(({ name }) => readdirSync(join(root, 'data', name)).map((file) => `${name}/${file}`));
  return names.sort().map((name) => {
    const rows = readColumns(join(root, 'data', name));
    const tsMs = Float64Array.from(rows, ([time]) => parseTime(time));
    const windows = labels[name].map(([from, to]) => ({ first: tsMs.indexOf(parseTime(from)), last: tsMs.lastIndexOf(parseTime(to)) }));
    return { name, tsMs, value: Float64Array.from(rows, ([, value]) => Number(value)), windows };
  });
}

/** What a detector of upstream's results scored, row by row. */
export function readNabResult(root: string, detector: string, series: NabSeries): Float64Array {
  return Float64Array.from(readColumns(join(root, 'results', detector, series.name)), ([score]) => Number(score));
}

function readColumns(path: string): string[][] {
  const lines = readFileSync(path, 'utf8').trimEnd().split(/\r?\n/);
  return lines.slice(1).map((line) => line.split(','));
}

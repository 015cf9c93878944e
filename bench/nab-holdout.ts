// Whether the anomaly detector's parameters are fitted to the benchmark: for each folder of the Numenta benchmark the best of a grid
// on the other folders, and its threshold, are scored on the folder that was left out: node bench/nab-holdout.ts
import { type DetectorParameters, detectorParameters } from '#alerts/anomaly/parameters.ts';
import { alertScore } from '#alerts/anomaly/update-detector.ts';
import { detectNab } from '#test/alerts/anomaly/detect.ts';
import { readNabCorpus } from '#test/alerts/anomaly/nab-corpus.ts';
import { nabProfiles, type ScoredSeries, scoreNab, scoreNabAt } from '#test/alerts/anomaly/nab-score.ts';
import { corpus } from '#test/corpora.ts';

/** About the frozen set to both sides; everything else as it is. */
const grid: Partial<Record<keyof DetectorParameters, number[]>> = {
  memorySamples: [4000, 8000, 16_000],
  windowSamples: [24, 48, 96],
  quietSamples: [50, 100, 200],
  betterShare: [0.5, 0.6, 0.7],
  minorWeight: [0.25, 0.5, 1],
};

/** Thresholds lower than this win nowhere. */
const LEAST = 0.3;

function expandGrid(): DetectorParameters[] {
  let all = [detectorParameters];
  for (const [name, choices] of Object.entries(grid)) all = all.flatMap((set) => choices.map((choice) => ({ ...set, [name]: choice })));
  return all;
}

const differences = (set: DetectorParameters): string =>
  (Object.keys(grid) as (keyof DetectorParameters)[]).map((name) => `${name} ${set[name]}`).join(', ');

const root = corpus('nab');
if (root === undefined) throw new Error('there is no corpus nab: set CORPORA to the folder that holds it');
const all = readNabCorpus(root);
const folders = [...new Set(all.map(({ name }) => name.split('/')[0]))];
const sets = expandGrid();
console.log(`${sets.length} sets of parameters`);
const best = new Map(
  folders.map((folder) => [folder, { score: Number.NEGATIVE_INFINITY, threshold: 0, set: detectorParameters, left: [] as ScoredSeries[] }]),
);
const whole: number[] = [];
for (const set of sets) {
  const results = detectNab(all, set);
  whole.push(scoreNabAt(results, nabProfiles.standard, alertScore));
  for (const [folder, champion] of best) {
    const isLeft = ({ series }: ScoredSeries) => series.name.startsWith(`${folder}/`);
    const { normalized, threshold } = scoreNab(
      results.filter((result) => !isLeft(result)),
      nabProfiles.standard,
      LEAST,
    );
    if (normalized > champion.score) Object.assign(champion, { score: normalized, threshold, set, left: results.filter(isLeft) });
  }
}
for (const [folder, { score, threshold, set, left }] of best) {
  const own = scoreNabAt(left, nabProfiles.standard, threshold);
  console.log(
    `${folder}: ${Number.isFinite(own) ? own.toFixed(1) : 'no windows'} (the others ${score.toFixed(1)}) at ${threshold.toFixed(3)} with ${differences(set)}`,
  );
}
const held = [...best.values()].flatMap(({ left, threshold }) =>
  left.map(({ series, scores }) => ({ series, scores: Float64Array.from(scores, (score) => (score >= threshold ? 1 : 0)) })),
);
for (const [name, profile] of Object.entries(nabProfiles))
  console.log(`left out, together, ${name}: ${scoreNabAt(held, profile, 1).toFixed(2)}`);
whole.sort((a, b) => a - b);
const at = (share: number) => whole[Math.round(share * (whole.length - 1))].toFixed(1);
console.log(`the grid over the whole corpus at the frozen threshold: worst ${at(0)}, median ${at(0.5)}, best ${at(1)}`);

// The anomaly detector on the Numenta benchmark: score per profile, per category, and what an update costs: node bench/nab.ts
import { detectorParameters } from '#alerts/anomaly/parameters.ts';
import { createDetectorState } from '#alerts/anomaly/state.ts';
import { decodeDetectorState, encodeDetectorState } from '#alerts/anomaly/state-codec.ts';
import { alertScore, updateDetector } from '#alerts/anomaly/update-detector.ts';
import { detectNab } from '#test/alerts/anomaly/detect.ts';
import { type NabSeries, readNabCorpus } from '#test/alerts/anomaly/nab-corpus.ts';
import { countNab, type NabCount, nabProfiles, type ScoredSeries, scoreNab, scoreNabAt } from '#test/alerts/anomaly/nab-score.ts';
import { corpus } from '#test/corpora.ts';

export interface NabReport {
  /** By profile: at the threshold that is best for it, and at the frozen one. */
  readonly scores: Readonly<
    Record<keyof typeof nabProfiles, { readonly best: number; readonly threshold: number; readonly frozen: number }>
  >;
  /** By folder, at the frozen threshold; the score means nothing where there is no window. */
  readonly categories: Readonly<Record<string, NabCount & { readonly series: number; readonly score: number }>>;
  /** CPU of an update, and of unpacking and packing a state. */
  readonly updateUs: number;
  readonly codecUs: number;
  /** The largest encoded state. */
  readonly stateBytes: number;
}

/** Measures all; undefined where this machine lacks the corpus. */
export function measureNab(): NabReport | undefined {
  const root = corpus('nab');
  if (root === undefined) return undefined;
  const all = readNabCorpus(root);
  const results = detectNab(all);
  const scores = Object.entries(nabProfiles).map(([name, profile]) => {
    const { normalized, threshold } = scoreNab(results, profile);
    return [name, { best: normalized, threshold, frozen: scoreNabAt(results, profile, alertScore) }];
  });
  return { scores: Object.fromEntries(scores), categories: countCategories(results), ...measureCpu(all) };
}

function countCategories(results: readonly ScoredSeries[]): NabReport['categories'] {
  const byFolder = Object.groupBy(results, ({ series }) => series.name.split('/')[0]);
  return Object.fromEntries(
    Object.entries(byFolder).map(([folder, part = []]) => [
      folder,
      { ...countNab(part, alertScore), series: part.length, score: scoreNabAt(part, nabProfiles.standard, alertScore) },
    ]),
  );
}

/** A second pass, when the code is warm. */
function measureCpu(all: readonly NabSeries[]): Pick<NabReport, 'updateUs' | 'codecUs' | 'stateBytes'> {
  const samples = all.reduce((sum, { value }) => sum + value.length, 0);
  const states = all.map(() => createDetectorState());
  const updating = cpuUs(() => {
    for (let s = 0; s < all.length; s++) {
      const { tsMs, value } = all[s];
      for (let i = 0; i < value.length; i++) updateDetector(states[s], tsMs[i], value[i], detectorParameters);
    }
  });
  const rounds = 200;
  let stateBytes = 0;
  const packing = cpuUs(() => {
    for (let round = 0; round < rounds; round++) {
      for (const state of states)
        stateBytes = Math.max(stateBytes, encodeDetectorState(decodeDetectorState(encodeDetectorState(state))).length);
    }
  });
  return { updateUs: updating / samples, codecUs: packing / (rounds * states.length), stateBytes };
}

function cpuUs(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

function print({ scores, categories, updateUs, codecUs, stateBytes }: NabReport): void {
  console.log('| profile | score | its threshold | at the frozen one |\n|---|---|---|---|');
  for (const [name, { best, threshold, frozen }] of Object.entries(scores)) {
    console.log(`| ${name} | ${best.toFixed(2)} | ${threshold.toFixed(3)} | ${frozen.toFixed(2)} |`);
  }
  console.log('\n| category | series | windows | found | false alarms | standard score |\n|---|---|---|---|---|---|');
  for (const [folder, { series, windows, found, falseAlarms, score }] of Object.entries(categories)) {
    const shown = windows === 0 ? '' : score.toFixed(1);
    console.log(`| ${folder} | ${series} | ${windows} | ${found} | ${falseAlarms} | ${shown} |`);
  }
  console.log(
    `\nCPU: ${updateUs.toFixed(2)} us a sample; ${codecUs.toFixed(1)} us to pack, unpack and pack a state; largest state ${stateBytes} bytes`,
  );
}

if (import.meta.main) {
  const report = measureNab();
  if (report) print(report);
  else console.error('there is no corpus nab: set CORPORA to the folder that holds it');
}

// How often the judge is wrong, and how soon right, in seeded simulations: node bench/judge.ts [--runs 20000] [--only iid,power]
// One configuration, which is not told how the data is correlated: 60 looks, 24 observations an arm and look, alpha 5 %, both directions.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Analysis } from '#releases/analysis/analysis.ts';
import { planAnalysis, testPlanOf } from '#releases/analysis/analysis-plan.ts';
import { noState } from '#releases/analysis/analysis-state.ts';
import { judgeLook, type LookSamples } from '#releases/analysis/judge-look.ts';
import { type MeasuredArms, testMetric, untested } from '#releases/judge/sequential-test.ts';

/** One row of the table. */
export interface JudgeFigure {
  readonly what: string;
  readonly bar: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const LOOKS = 60;
const PER_LOOK = 24;

type Random = () => number;

/** Mulberry32. */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Of unit variance; the correlation of neighbours is `rho`. */
function autoregression(random: Random, length: number, rho: number, mean: number): Float64Array {
  const series = new Float64Array(length);
  let value = normal(random);
  for (let i = 0; i < length; i++) {
    series[i] = value + mean;
    value = rho * value + Math.sqrt(1 - rho * rho) * normal(random);
  }
  return series;
}

const metric = (more: object = {}) => ({ kind: 'mean', name: 'm', query: 'm', direction: 'either', ...more });

const concurrent = testPlanOf(
  planAnalysis(Analysis.parse({ interval: '24s', step: '1s', looks: LOOKS, metrics: [metric()] })),
  Analysis.parse({ metrics: [metric()] }).metrics[0] as never,
);

interface Scenario {
  readonly rho: number;
  readonly shift: number;
  readonly seed: number;
}

/** The look of each alarm; what raised none is left out. */
function simulate({ rho, shift, seed }: Scenario, runs: number): readonly number[] {
  const random = seeded(seed);
  const alarms: number[] = [];
  for (let run = 0; run < runs; run++) {
    const canary = autoregression(random, LOOKS * PER_LOOK, rho, shift);
    const baseline = autoregression(random, LOOKS * PER_LOOK, rho, 0);
    let state = untested;
    for (let look = 1; look <= LOOKS; look++) {
      const until = (series: Float64Array) => ({ values: series.subarray(0, look * PER_LOOK) });
      const outcome = testMetric(concurrent, { canary: until(canary), baselines: [until(baseline)] }, state, look);
      state = outcome.state;
      if (outcome.verdict !== 'fail') continue;
      alarms.push(look);
      break;
    }
  }
  return alarms;
}

function share(count: number, of: number) {
  const rate = count / of;
  return { rate, error: Math.sqrt((rate * (1 - rate)) / of) };
}

function writeShare(rate: number, error: number): string {
  return `${(100 * rate).toFixed(2)} % (s.e. ${(100 * error).toFixed(2)})`;
}

const falseAlarms: Readonly<Record<string, { readonly rho: number; readonly most: number }>> = {
  iid: { rho: 0, most: 0.05 },
  rho3: { rho: 0.3, most: 0.06 },
  rho5: { rho: 0.5, most: 0.06 },
  rho8: { rho: 0.8, most: 0.06 },
};

function measureFalseAlarms(runs: number, wanted: (name: string) => boolean): JudgeFigure[] {
  return Object.entries(falseAlarms)
    .filter(([name]) => wanted(name))
    .map(([, { rho, most }]) => {
      const { rate, error } = share(simulate({ rho, shift: 0, seed: 1_000 + 10 * rho }, runs).length, runs);
      const what = `judge, false alarms, 60 looks, ${rho === 0 ? 'independent' : `AR(1) rho ${rho}`}, ${runs} runs`;
      return { what, bar: `<= ${100 * most} %`, measured: writeShare(rate, error), isMet: rate - 2 * error <= most };
    });
}

function measurePower(runs: number): JudgeFigure[] {
  const small = share(simulate({ rho: 0, shift: 0.1, seed: 2_001 }, runs).length, runs);
  const looks = [...simulate({ rho: 0, shift: 0.2, seed: 2_002 }, runs)].sort((a, b) => a - b);
  const large = share(looks.length, runs);
  const median = looks[runs >> 1] ?? Number.POSITIVE_INFINITY;
  return [
    {
      what: `judge, power at .1 sigma, ${runs} runs`,
      bar: '>= 70 %',
      measured: writeShare(small.rate, small.error),
      isMet: small.rate + 2 * small.error >= 0.7,
    },
    {
      what: `judge, power at .2 sigma, ${runs} runs`,
      bar: '>= 98 %',
      measured: writeShare(large.rate, large.error),
      isMet: large.rate + 2 * large.error >= 0.98,
    },
    { what: 'judge, median look of detection at .2 sigma', bar: '<= 24', measured: String(median), isMet: median <= 24 },
  ];
}

/** Windows of 1 to 6 hours before and after, of which the middle one is the row of the table. */
const HALVES = [12, 24, 30, 36, 48, 60, 72];
const NAB_LOOKS = 6;

function measureNabWindows(): JudgeFigure[] {
  const root = process.env.CORPORA ?? resolve(import.meta.dirname, '..', '..', 'shared', 'corpora');
  const folder = join(root, 'nab', 'data', 'realAWSCloudwatch');
  if (!existsSync(folder)) return [];
  const labels = JSON.parse(readFileSync(join(root, 'nab', 'labels', 'combined_windows.json'), 'utf8')) as Record<string, string[][]>;
  const series = readdirSync(folder).map((file) => ({
    rows: readFileSync(join(folder, file), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',') as [string, string]),
    anomalies: (labels[`realAWSCloudwatch/${file}`] ?? []) as [string, string][],
  }));
  return HALVES.map((half) => {
    const windows = series.flatMap(({ rows, anomalies }) => cleanWindows(rows, anomalies, half));
    const { rate, error } = share(windows.filter((values) => alarmsApart(values, half)).length, windows.length);
    const what = `judge, real A/A: ${windows.length} windows of NAB's AWS series, ${(half * 5) / 60} h before and after, ${NAB_LOOKS} looks`;
    return { what, bar: '<= 5 %', measured: writeShare(rate, error), isMet: rate - 2 * error <= 0.05 };
  });
}

/** Windows side by side that touch no labelled anomaly. */
function cleanWindows(rows: readonly [string, string][], anomalies: readonly [string, string][], half: number): Float64Array[] {
  const windows: Float64Array[] = [];
  for (let start = 0; start + 2 * half <= rows.length; start += 2 * half) {
    const part = rows.slice(start, start + 2 * half);
    const [first, last] = [part[0]?.[0] as string, part.at(-1)?.[0] as string];
    if (anomalies.some(([from, to]) => first <= to.slice(0, 19) && last >= from.slice(0, 19))) continue;
    windows.push(Float64Array.from(part, ([, value]) => Number(value)));
  }
  return windows;
}

function alarmsApart(values: Float64Array, half: number): boolean {
  const interval = half / NAB_LOOKS;
  const analysis = Analysis.parse({
    interval: `${interval}s`,
    step: '1s',
    looks: NAB_LOOKS,
    metrics: [metric({ baseline: 'previous' })],
  });
  const plan = testPlanOf(planAnalysis(analysis), analysis.metrics[0] as never);
  const baseline = { values: values.slice(0, half) };
  let state = untested;
  for (let look = 1; look <= NAB_LOOKS; look++) {
    const canary = { values: values.slice(half, half + look * interval) };
    const outcome = testMetric(plan, { canary, baselines: [baseline] }, state, look);
    if (outcome.verdict === 'fail') return true;
    state = outcome.state;
  }
  return false;
}

/** CPU of one look of 10 metrics at the end of an hour in steps of 15 s, the state of 59 looks before it given. */
function measureCpu(): JudgeFigure[] {
  const kinds = ['mean', 'mann-whitney', 'rate', 'quantile', 'mean', 'mann-whitney', 'rate', 'quantile', 'mean', 'mean'];
  const metrics = kinds.map((kind, i) => ({ ...metric({ kind, name: `m${i}` }), ...(kind === 'quantile' ? { quantile: 0.9 } : {}) }));
  const analysis = Analysis.parse({ interval: '1m', step: '15s', looks: LOOKS, metrics });
  const random = seeded(3_000);
  const whole: Record<string, MeasuredArms> = Object.fromEntries(
    analysis.metrics.map(({ name }) => {
      const series = () => autoregression(random, 4 * LOOKS, 0.5, 0);
      return [name, { canary: { values: series() }, baselines: [{ values: series() }] }];
    }),
  );
  const until = (count: number): LookSamples => ({
    measurements: {},
    arms: Object.fromEntries(
      Object.entries(whole).map(([name, { canary, baselines }]) => [
        name,
        {
          canary: { values: canary.values.subarray(0, count) },
          baselines: baselines.map(({ values }) => ({ values: values.subarray(0, count) })),
        },
      ]),
    ),
  });
  let state = noState;
  const times: number[] = [];
  for (let look = 1; look <= LOOKS; look++) {
    const samples = until(4 * look);
    const before = process.cpuUsage();
    state = judgeLook(analysis, samples, state, look).state;
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1_000);
  }
  const worst = Math.max(...times);
  const last = times.at(-1) as number;
  const measured = `${worst.toFixed(1)} ms at the dearest look, ${last.toFixed(1)} at the last`;
  return [{ what: 'judge, one look of 10 metrics x 1 h', bar: '<= 50 ms CPU without queries', measured, isMet: worst <= 50 }];
}

/** The judge's table. `only` names its parts: iid, rho3, rho5, rho8, power, nab, cpu. */
export function measureJudge(runs = 2_000, only?: readonly string[]): JudgeFigure[] {
  const wanted = (name: string) => only === undefined || only.includes(name);
  return [
    ...(wanted('cpu') ? measureCpu() : []),
    ...measureFalseAlarms(runs, wanted),
    ...(wanted('power') ? measurePower(runs) : []),
    ...(wanted('nab') ? measureNabWindows() : []),
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '2000' }, only: { type: 'string' } } });
  for (const { what, bar, measured, isMet } of measureJudge(Number(values.runs), values.only?.split(',')))
    console.log(`| ${what} | ${bar} | ${measured} | ${isMet ? 'met' : '**missed**'} |`);
}

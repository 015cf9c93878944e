// What a group of anomaly detectors costs at each evaluation, and how often noise alerts: node bench/anomaly-group.ts
import { toAnomaly } from '#alerts/anomaly/anomaly-fields.ts';
import { detectorParameters } from '#alerts/anomaly/parameters.ts';
import { createDetectorState } from '#alerts/anomaly/state.ts';
import { updateDetector } from '#alerts/anomaly/update-detector.ts';
import { evaluateGroup } from '#alerts/rules/evaluate-group.ts';
import type { RuleGroup } from '#alerts/rules/rule.ts';
import type { RuleState } from '#alerts/rules/rule-state.ts';
import { decodeRuleState, encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { MINUTE_MS } from '#core/time.ts';
import { usEast1 } from '#model/prices.ts';
import { seriesFromLabels } from '#model/series.ts';
import type { InstantSample, Query } from '#ports/query.ts';
import { makeNoise, seededRandom } from '#test/alerts/anomaly/made-series.ts';

const SERIES = 1_000;
const ROUNDS = 20;
/** Every hour of a week is seen within 8 days of such steps. */
const STEP_MS = 13 * MINUTE_MS;
const DAY_MS = 1_440 * MINUTE_MS;

/** Waves of a day with noise, of different sizes. The expression itself costs nothing. */
function makeQuery(): Query {
  const random = seededRandom(1);
  const all = Array.from({ length: SERIES }, (_, i) => {
    const labels = { __name__: 'load', instance: `10.0.${i >> 8}.${i & 255}:9100`, job: 'node' };
    return { series: seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value }))), size: 10 ** (4 * random()) };
  });
  const valueAt = (atMs: number, i: number) => 3 + Math.sin((2 * Math.PI * atMs) / DAY_MS + i) + 0.2 * random();
  return {
    check: (text) => ({ type: 'vector', text, metrics: [] }),
    instant: async ({ atMs }) => ({
      samples: all.map(({ series, size }, i): InstantSample => ({ series, value: size * valueAt(atMs, i) })),
      warnings: [],
    }),
  };
}

async function cpuMs(work: () => unknown): Promise<number> {
  await work();
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / ROUNDS;
}

const detector = toAnomaly({ expr: 'load' }, 'LoadIsOdd');
const common = { forMs: 0, keepFiringForMs: 15 * MINUTE_MS, labels: {}, annotations: {} };
const rules: RuleGroup['rules'] = [{ kind: 'detector', name: 'LoadIsOdd', expr: 'load', detector, ...common }];
const group: RuleGroup = { name: 'g', intervalMs: MINUTE_MS, queryOffsetMs: undefined, limit: 0, labels: {}, rules };
const deps = { query: makeQuery(), render: async (text: string) => text, append() {} };

let states: readonly RuleState[] = [];
let atMs = 0;
const evaluate = async () => {
  ({ states } = await evaluateGroup(deps, { tenant: 't', group, states, atMs }));
  atMs += STEP_MS;
};
while (atMs < 8 * DAY_MS) await evaluate();
const packed = encodeRuleState(states);
const evaluateMs = await cpuMs(evaluate);
const packMs = await cpuMs(() => encodeRuleState(states));
const unpackMs = await cpuMs(() => decodeRuleState(packed));
const perMonth = 30 * 1_440 * (usEast1.blobPut.standard + usEast1.blobGet.standard);
console.log(`${SERIES} series with a week learned: ${packed.length} bytes packed
CPU of an evaluation without its expression: ${evaluateMs.toFixed(1)} ms, to pack ${packMs.toFixed(1)} ms, to unpack ${unpackMs.toFixed(1)} ms
its PUT and GET each minute: $${perMonth.toFixed(2)} a month`);

const SAMPLES = 10_000;
const noises: Readonly<Record<string, (noise: number, i: number, random: () => number) => number>> = {
  normal: (noise) => noise,
  exponential: (_noise, _i, random) => -Math.log(1 - random()),
  'daily pattern': (noise, i) => 10 * Math.sin((2 * Math.PI * i) / 288) + noise,
};

/** Samples from one alert to the next, on average. */
function samplesPerAlert(score: number, makeValue: (noise: number, i: number, random: () => number) => number): number {
  let alerts = 0;
  for (let seed = 0; seed < ROUNDS; seed++) {
    const state = createDetectorState();
    const random = seededRandom(seed);
    for (const [i, noise] of makeNoise(100 + seed, SAMPLES).entries()) {
      const verdict = updateDetector(state, i * 5 * MINUTE_MS, makeValue(noise, i, random), detectorParameters, { score });
      if (verdict.score >= score) alerts++;
    }
  }
  return (ROUNDS * SAMPLES) / alerts;
}

for (const score of [0.8, 0.9, 0.95, 0.98, 0.99]) {
  const rates = Object.entries(noises).map(([name, makeValue]) => `${name} ${Math.round(samplesPerAlert(score, makeValue))}`);
  console.log(`score ${score}, samples per alert: ${rates.join(', ')}`);
}

import { describe, expect, it } from 'vitest';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';
import type { Judgement } from '#model/judgement.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import { createQueryPort } from '#query/query-port.ts';
import { Analysis } from '#releases/analysis/analysis.ts';
import { createAnalyze, judgeOnce } from '#releases/analysis/create-analyze.ts';
import { series } from '#test/query/evaluate-text.ts';
import { correlated, seeded } from '#test/releases/judge/seeded.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const WEEK = 7 * 86_400_000;
const FROM = 10 * WEEK;
const limits = { maxSeries: 100, maxSamples: 1_000_000, maxBytes: 1e9, timeoutMs: 60_000 };

interface Written {
  readonly metric: string;
  readonly version: string;
  readonly values: ArrayLike<number>;
  readonly fromMs?: number;
}

/** Values every 10 s from the canary's beginning on. */
function open(written: readonly Written[], now = FROM + 60 * MINUTE) {
  const source = createMemorySource();
  for (const { metric, version, values, fromMs = FROM } of written)
    source.append(
      series(metric, { version }),
      Array.from(values, (value, i) => ({ ts: fromMs + (i + 1) * 10 * SECOND, value })).filter(({ value }) => !Number.isNaN(value)),
    );
  const deps = { query: () => createQueryPort({ source, limits, now: Date.now, lookbackMs: 9 * SECOND }), now: () => now };
  return { deps, analyze: createAnalyze(deps) };
}

const analysis = (metric: object, more: object = {}): Json =>
  ({
    interval: '1m',
    step: '10s',
    looks: 10,
    metrics: [{ name: 'm', kind: 'mean', query: 'm{version="{{version}}"}', ...metric }],
    ...more,
  }) as Json;
const request = { tenant: 't', variables: { canary: 'b', stable: 'a' }, fromMs: FROM };

/** All looks, the state between them through JSON; stops when it is decided. */
async function watch(analyze: ReturnType<typeof createAnalyze>, of: Json, looks = 10): Promise<Judgement> {
  let state: Json | undefined;
  for (let look = 1; ; look++) {
    const result = await analyze({ ...request, analysis: of, toMs: FROM + look * MINUTE, look, state });
    state = JSON.parse(JSON.stringify(result.state)) as Json;
    if (result.judgement.verdict !== 'continue' || look === looks) return result.judgement;
  }
}

const arms = (shift: number, seed = 1) => {
  const random = seeded(seed);
  const canary = correlated(random, 60, 0.3, 10 + shift);
  return [
    { metric: 'm', version: 'b', values: canary },
    { metric: 'm', version: 'a', values: correlated(random, 60, 0.3, 10) },
  ];
};

describe('an analysis', () => {
  it('passes an equal canary at its last look, with numbers and a sentence', async () => {
    const judgement = await watch(open(arms(0)).analyze, analysis({}));
    expect(judgement).toMatchObject({
      verdict: 'pass',
      look: 10,
      looks: 10,
      sentence: 'The canary passes at look 10 of 10: m (no sign of harm).',
    });
    expect(judgement.metrics[0]?.numbers).toMatchObject({ samples: 60, planned: 60, alpha: 0.05 });
    expect(judgement.metrics[0]?.sentence).toMatch(/^The canary has .*, its baseline .*: no sign of harm at the last look/);
  });

  it('fails a worse one before that, and fails a wrong one by decrease only where that is worse', async () => {
    const { analyze } = open(arms(3));
    const judgement = await watch(analyze, analysis({}));
    expect(judgement.verdict).toBe('fail');
    expect(judgement.look).toBeLessThan(10);
    expect((await watch(analyze, analysis({ direction: 'decrease' }))).verdict).toBe('pass');
  });

  it('gives the same for the same look and state, and counts what came late', async () => {
    const { analyze } = open(arms(1));
    const first = await analyze({ ...request, analysis: analysis({}), toMs: FROM + 3 * MINUTE, look: 1 });
    const again = () => analyze({ ...request, analysis: analysis({}), toMs: FROM + 4 * MINUTE, look: 2, state: first.state });
    expect(await again()).toEqual(await again());
    const holed = arms(1).map((arm) => ({ ...arm, values: Float64Array.from(arm.values, (value, i) => (i < 6 ? Number.NaN : value)) }));
    const early = await open(holed).analyze({ ...request, analysis: analysis({}), toMs: FROM + 3 * MINUTE, look: 1 });
    const late = await analyze({ ...request, analysis: analysis({}), toMs: FROM + 4 * MINUTE, look: 2, state: early.state });
    expect(early.judgement.metrics[0]?.numbers.samples).toBe(12);
    expect(late.judgement.metrics[0]?.numbers.samples).toBe(24);
  });

  it('cannot tell where a canary has no traffic, or stops telling in the middle', async () => {
    const [canary, baseline] = arms(0) as unknown as [Written, Written];
    const none = await watch(open([baseline]).analyze, analysis({}));
    expect(none).toMatchObject({ verdict: 'inconclusive', metrics: [{ reason: 'no data', sentence: 'The canary has no data.' }] });
    const gone = { ...canary, values: Array.from(canary.values).slice(0, 18) };
    expect(await watch(open([gone, baseline]).analyze, analysis({}))).toMatchObject({
      verdict: 'inconclusive',
      look: 8,
      metrics: [{ reason: 'no data' }],
    });
  });

  it('does not pass by a clock that jumps: forward there is nothing to see, backward nothing new', async () => {
    const { analyze } = open(arms(0), FROM + WEEK);
    const far = await analyze({
      ...request,
      analysis: analysis({}),
      toMs: FROM + 6 * 86_400_000,
      look: 10,
      state: (await at(analyze, 9)).state,
    });
    expect(far.judgement.metrics[0]?.numbers.samples).toBe(60);
    const back = await analyze({ ...request, analysis: analysis({}), toMs: FROM - MINUTE, look: 10, state: (await at(analyze, 9)).state });
    expect(back.judgement).toMatchObject({ verdict: 'inconclusive', metrics: [{ reason: 'no data' }] });
    await expect(
      open(arms(0), FROM).analyze({ ...request, analysis: analysis({}), toMs: FROM + 10 * MINUTE, look: 1 }),
    ).rejects.toMatchObject({
      kind: 'unavailable',
    });
  });

  it('takes rates of counters, whose resets are no fall', async () => {
    const counter = (perStep: number) => Array.from({ length: 60 }, (_, i) => ((i % 25) + 1) * perStep);
    const written = [
      { metric: 'c', version: 'b', values: counter(1) },
      { metric: 'c', version: 'a', values: counter(1) },
    ];
    const rate = { kind: 'rate', query: 'c{version="{{version}}"}', window: '30s', direction: 'either' };
    const judgement = await watch(open(written).analyze, analysis(rate));
    expect(judgement.verdict).toBe('pass');
    expect(judgement.metrics[0]?.numbers.canary).toBeGreaterThan(0.09);
  });

  it('takes the time before the canary, earlier weeks, or a number as baseline', async () => {
    const random = seeded(4);
    const canary = { metric: 'm', version: 'b', values: correlated(random, 60, 0, 14) };
    const before = { metric: 'm', version: 'a', values: correlated(random, 61, 0, 10), fromMs: FROM - 10 * MINUTE - 10 * SECOND };
    expect((await watch(open([canary, before]).analyze, analysis({ baseline: 'previous' }))).verdict).toBe('fail');
    const weeks = [1, 2, 3, 4].map((week) => ({
      metric: 'm',
      version: 'a',
      values: correlated(random, 60, 0, 10),
      fromMs: FROM - week * WEEK,
    }));
    expect((await watch(open([canary, ...weeks]).analyze, analysis({ baseline: 'history' }))).verdict).toBe('fail');
    expect((await watch(open([canary, weeks[0] as Written]).analyze, analysis({ baseline: 'history' }))).verdict).toBe('inconclusive');
    expect((await watch(open([canary]).analyze, analysis({ baseline: { value: 10 } }))).verdict).toBe('fail');
    expect((await watch(open([canary]).analyze, analysis({ baseline: { value: 14 }, direction: 'either' }))).verdict).toBe('pass');
  });

  it('takes a ratio, and no traffic at all for no data', async () => {
    const random = seeded(8);
    const errors = (share: number) => Array.from({ length: 60 }, () => 100 * share * (0.5 + random()));
    const written = (share: number, total = 100) => [
      { metric: 'e', version: 'b', values: errors(share) },
      { metric: 'e', version: 'a', values: errors(0.01) },
      ...['a', 'b'].map((version) => ({ metric: 't', version, values: new Array(60).fill(total) as number[] })),
    ];
    const ratio = { kind: 'ratio', query: 'e{version="{{version}}"}', total: 't{version="{{version}}"}' };
    expect((await watch(open(written(0.1)).analyze, analysis(ratio))).verdict).toBe('fail');
    expect((await watch(open(written(0.01)).analyze, analysis(ratio))).verdict).toBe('pass');
    expect(await watch(open(written(0.01, 0)).analyze, analysis(ratio))).toMatchObject({
      verdict: 'inconclusive',
      metrics: [{ reason: 'no data' }],
    });
  });

  it('refuses what it cannot judge, naming the metric', async () => {
    const kindOf = async (of: Json, more: object = {}) => {
      const error = await open(arms(0))
        .analyze({ ...request, analysis: of, toMs: FROM + MINUTE, look: 1, ...more })
        .catch((reason: unknown) => reason);
      return isOpsError(error) ? `${error.kind}: ${error.message}` : String(error);
    };
    expect(await kindOf(analysis({ query: 'm' }))).toBe('input: metric m: the query gives 2 series');
    expect(await kindOf(analysis({ query: 'm{' }))).toMatch(/^input: metric m: .*parse error/);
    expect(await kindOf(analysis({}), { look: 2 })).toBe('conflict: look 2 needs the state of look 1; got that of look 0');
    expect(await kindOf(analysis({}), { state: { look: 0 } })).toMatch(/^input: the state/);
    expect(await kindOf({ metrics: [] })).toMatch(/^input: the analysis is not valid/);
  });

  it('passes on that the telemetry cannot be asked now', async () => {
    const query = () => ({ range: () => Promise.reject(new OpsError('unavailable', 'no storage')) });
    const analyze = createAnalyze({ query, now: () => FROM + WEEK });
    await expect(analyze({ ...request, analysis: analysis({}), toMs: FROM + MINUTE, look: 1 })).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'metric m: no storage',
    });
  });

  it('judges one window by itself', async () => {
    const once = (shift: number, toMs = FROM + 10 * MINUTE) =>
      judgeOnce(open(arms(shift)).deps, { ...request, analysis: analysis({}), toMs });
    expect(await once(0)).toMatchObject({ verdict: 'pass', look: 1, looks: 1 });
    expect((await once(1.5)).verdict).toBe('fail');
    expect(await once(0, FROM + MINUTE)).toMatchObject({ verdict: 'inconclusive', metrics: [{ reason: 'too little data' }] });
  });
});

async function at(analyze: ReturnType<typeof createAnalyze>, looks: number) {
  let state: Json | undefined;
  for (let look = 1; look <= looks; look++)
    state = (await analyze({ ...request, analysis: analysis({}), toMs: FROM + look * MINUTE, look, state })).state;
  return { state };
}

describe('a threshold', () => {
  const threshold = (more: object): Json =>
    ({ interval: '1m', looks: 5, metrics: [{ name: 'p', kind: 'threshold', query: 'm{version="{{version}}"}', ...more }] }) as Json;
  const judge = (values: readonly number[], more: object) => {
    const spread = values.flatMap((value) => new Array(6).fill(value) as number[]);
    return watch(open([{ metric: 'm', version: 'b', values: spread }]).analyze, threshold(more), 5);
  };
  const none = Number.NaN;

  it.each([
    ['all good', [1, 1, 1, 1, 1], {}, 'pass', 5],
    ['one failure over the limit of none', [1, 9, 1, 1, 1], {}, 'fail', 2],
    ['one failure within a limit', [1, 9, 1, 1, 1], { failureLimit: 1 }, 'pass', 5],
    ['neither condition', [1, 4, 1, 1, 1], { failure: { above: 5 } }, 'inconclusive', 2],
    ['successes in a row', [9, 1, 1, 9, 9], { failureLimit: -1, consecutiveSuccessLimit: 2 }, 'pass', 3],
    ['no successes in a row by the end', [9, 1, 9, 1, 9], { failureLimit: -1, consecutiveSuccessLimit: 2 }, 'inconclusive', 5],
    ['a count that is reached', [1, 1, 9, 9, 9], { count: 2 }, 'pass', 2],
    ['no values in a row', [1, none, none, 1, 1], { consecutiveErrorLimit: 1 }, 'inconclusive', 3],
    ['no values at all', [none, none, none, none, none], {}, 'inconclusive', 5],
    ['too few values at the end', [1, none, 1, none, none], {}, 'inconclusive', 5],
    ['a value missing', [1, none, 1, 1, 1], {}, 'pass', 5],
  ] as const)('ends as Argo Rollouts has it: %s', async (_, values, more, verdict, look) => {
    expect(await judge(values, { success: { below: 3 }, ...more })).toMatchObject({ verdict, look });
  });

  it('of a dry run is told and decides nothing', async () => {
    const metrics = [
      { name: 'dry', kind: 'threshold', query: 'm{version="b"}', success: { below: 0 }, dryRun: true },
      { name: 'wet', kind: 'threshold', query: 'm{version="b"}', success: { above: 0 } },
    ];
    const judgement = await watch(open(arms(0)).analyze, { interval: '1m', looks: 3, metrics } as unknown as Json, 3);
    expect(judgement.verdict).toBe('pass');
    expect(judgement.metrics[0]).toMatchObject({ verdict: 'fail', sentence: expect.stringContaining('Dry run') });
  });
});

describe('the form of an analysis', () => {
  it('reads again what it read', () => {
    const read = Analysis.parse(analysis({ margin: { relative: 0.1 } }));
    expect(Analysis.parse(JSON.parse(JSON.stringify(read)))).toEqual(read);
  });

  it.each([
    [{ looks: 1_000, step: '1s' }, 'looks x interval'],
    [{ step: '2m' }, 'must not be longer'],
    [{ interval: 'soon' }, 'must be a duration'],
    [{ color: 'red' }, 'accepted: interval'],
    [{ warmup: '1h' }, 'shorter than all looks'],
  ])('refuses %j', (more, words) => {
    expect(JSON.stringify(Analysis.safeParse(analysis({}, more)).error?.issues)).toContain(words);
  });

  it.each([
    [{ dryRun: true }, 'all dry runs'],
    [{ goal: 'non-inferiority' }, 'takes one'],
    [{ goal: 'superiority', direction: 'either' }, 'superiority takes'],
    [{ kind: 'threshold' }, 'takes success'],
    [{ kind: 'median' }, 'kind takes'],
    [{ query: 'up{{version}}' }, 'outside of a quoted'],
  ])('refuses a metric with %j', (metric, words) => {
    expect(JSON.stringify(Analysis.safeParse(analysis(metric)).error?.issues)).toContain(words);
  });
});

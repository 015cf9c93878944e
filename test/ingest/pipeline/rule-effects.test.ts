import { describe, expect, it } from 'vitest';
import { compilePipeline, type PipelineResult, runPipeline } from '#ingest/pipeline/pipeline.ts';
import type { LookupTable } from '#ingest/pipeline/rule.ts';
import { STALE } from '#model/samples.ts';
import { batch, type Row, rules, series, showAll } from './support.ts';

const up = series({ __name__: 'up', job: 'api' });
const gc = series({ __name__: 'go_gc', job: 'api' });
const cpu = series({ __name__: 'cpu', job: 'node', core: '0' });

const run = (rows: readonly Row[], list: readonly object[], tables = new Map<string, LookupTable>()): PipelineResult =>
  runPipeline(compilePipeline('default', rules(...list), tables), batch(rows));

describe('validate', () => {
  const validate = (rule: object, action: object = {}) => [{ name: 'sane', validate: { ...rule, ...action } }];
  it.each([
    ['a required label', { requiredLabels: ['job', 'zone'] }, 'rule "sane": label "zone" is missing in up{job="api"}'],
    ['the form of the name', { metricName: '[a-t]+' }, `rule "sane": the metric's name does not match [a-t]+ in up{job="api"}`],
    ['the form of label names', { labelNames: 'x.*' }, 'rule "sane": the label name "job" does not match x.* in up{job="api"}'],
    ['the form of a label', { labelValues: { job: 'a|b' } }, 'rule "sane": label "job" does not match a|b in up{job="api"}'],
  ])('refuses by %s, in words for the sender', (_name, rule, message) => {
    const result = run(
      [
        [up, 1, 1],
        [up, 2, 2],
      ],
      validate(rule),
    );
    expect(result.outputs).toEqual([]);
    expect(result.rejections).toEqual([{ reason: 'rule-sane', message, count: 2 }]);
    expect(result.counts[0]).toMatchObject({ touched: 2, rejected: 2, dropped: 0 });
  });

  it('lets an absent label be where it is not required', () =>
    expect(run([[up, 1, 1]], validate({ labelValues: { zone: 'z.' } })).rejections).toEqual([]));

  it('refuses single values out of range, NaN among them, never stale markers', () => {
    const rows: Row[] = [
      [up, 1, 0.5],
      [up, 2, 7],
      [gc, 3, -1],
      [up, 4, Number.NaN],
      [up, 5, Number.NaN, STALE],
      [up, 6, 1],
      [up, 7, Number.POSITIVE_INFINITY],
    ];
    const result = run(rows, validate({ value: { min: 0, max: 1 } }));
    expect(showAll(result)).toEqual(['up{job="api"} 0.5@1', 'up{job="api"} NaN@5 stale', 'up{job="api"} 1@6']);
    expect(result.rejections).toEqual([
      { reason: 'rule-sane', message: 'rule "sane": the value 7 is not within 0 to 1 in up{job="api"}', count: 4 },
    ]);
    expect(run(rows, validate({ value: { max: 10, allowNaN: true } })).rejections[0]?.count).toBe(1);
  });

  it('tags instead where told to, and later rules see the tag', () => {
    const list = [
      ...validate({ value: { max: 1 } }, { action: 'tag', tag: { quality: 'bad' } }),
      { name: 'out', match: '{quality="bad"}', route: { tenant: 'trash' } },
    ];
    const result = run(
      [
        [up, 1, 1],
        [up, 2, 2],
        [gc, 3, 0],
      ],
      list,
    );
    expect(showAll(result)).toEqual(['up{job="api"} 1@1', 'go_gc{job="api"} 0@3', 'trash/ up{job="api",quality="bad"} 2@2']);
    expect(result.counts.map(({ touched, rejected }) => [touched, rejected])).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  it('tags a series for its labels', () => {
    expect(showAll(run([[up, 1, 1]], validate({ requiredLabels: ['zone'] }, { action: 'tag', tag: { zone: 'none' } })))).toEqual([
      'up{job="api",zone="none"} 1@1',
    ]);
  });

  it('checks several ranges one after the other', () => {
    const list = [...validate({ value: { min: 0 } }), { name: 'second', validate: { value: { max: 10 } } }];
    const result = run(
      [
        [up, 1, -1],
        [up, 2, 5],
        [up, 3, 11],
      ],
      list,
    );
    expect(showAll(result)).toEqual(['up{job="api"} 5@2']);
    expect(result.rejections.map(({ reason, count }) => [reason, count])).toEqual([
      ['rule-sane', 1],
      ['rule-second', 1],
    ]);
  });
});

describe('enrich', () => {
  const tables = new Map([['t.yaml', { api: { team: 'money', job: 'other' }, constructor: { team: 'x' } }]]);
  const lookup = { table: 't.yaml', by: 'job' };
  it.each([
    ['adds labels', { labels: { zone: 'z1' } }, 'up{job="api",zone="z1"} 1@1'],
    ['leaves a label that is there', { labels: { job: 'x', zone: 'z1' } }, 'up{job="api",zone="z1"} 1@1'],
    ['unless told to overwrite', { labels: { job: 'x' }, overwrite: true }, 'up{job="x"} 1@1'],
    ['looks labels up', { lookup }, 'up{job="api",team="money"} 1@1'],
    ['looks up and overwrites', { lookup, overwrite: true }, 'up{job="other",team="money"} 1@1'],
    ['sets what was looked up over what is fixed', { lookup, labels: { team: 'none' } }, 'up{job="api",team="money"} 1@1'],
  ])('%s', (_name, enrich, want) => expect(showAll(run([[up, 1, 1]], [{ name: 'e', enrich }], tables))).toEqual([want]));

  it('falls back where the table has nothing, and never on what all objects have', () => {
    const inherited = series({ __name__: 'up', job: 'toString' });
    const list = [{ name: 'e', enrich: { lookup: { ...lookup, default: { team: 'unknown' } } } }];
    expect(
      showAll(
        run(
          [
            [cpu, 1, 1],
            [inherited, 1, 1],
          ],
          list,
          tables,
        ),
      ),
    ).toEqual(['cpu{core="0",job="node",team="unknown"} 1@1', 'up{job="toString",team="unknown"} 1@1']);
  });

  it('counts only what it changed', () => {
    const list = [{ name: 'e', enrich: { labels: { core: '9' } } }];
    expect(
      run(
        [
          [cpu, 1, 1],
          [up, 1, 1],
          [up, 2, 1],
        ],
        list,
      ).counts[0]?.touched,
    ).toBe(2);
  });
});

describe('route', () => {
  it('sends series to a tenant, to a retention class, or both; the last rule that says wins', () => {
    const list = [
      { name: 'a', match: '{job="api"}', route: { retentionClass: 'short' } },
      { name: 'b', match: 'go_gc', route: { tenant: 'runtime' } },
      { name: 'c', match: 'go_gc', route: { tenant: 'go' } },
    ];
    const result = run(
      [
        [up, 1, 1],
        [gc, 2, 2],
        [cpu, 3, 3],
      ],
      list,
    );
    expect(showAll(result)).toEqual(['cpu{core="0",job="node"} 3@3', 'default/short up{job="api"} 1@1', 'go/short go_gc{job="api"} 2@2']);
    expect(result.outputs.map(({ batch: each }) => each.series.length)).toEqual([1, 1, 1]);
  });

  it('keeps apart series that are the same but for where they go', () => {
    const tmp = series({ __name__: 'up', job: 'api', tmp: '1' });
    const list = [
      { name: 'a', match: '{tmp="1"}', route: { tenant: 'other' } },
      { name: 'b', map: [{ action: 'labeldrop', regex: 'tmp' }] },
    ];
    expect(
      showAll(
        run(
          [
            [up, 1, 1],
            [tmp, 2, 2],
          ],
          list,
        ),
      ),
    ).toEqual(['up{job="api"} 1@1', 'other/ up{job="api"} 2@2']);
  });

  it('survives a calculation in between', () => {
    const list = [
      { name: 'a', match: 'up', route: { tenant: 'other' } },
      { name: 'b', calculate: { metric: 'twice', expr: '2 * up' } },
      { name: 'c', match: 'twice', enrich: { labels: { d: 'e' } } },
    ];
    expect(showAll(run([[up, 1, 1]], list))).toEqual(['twice{d="e",job="api"} 2@1', 'other/ up{job="api"} 1@1']);
  });
});

describe('aggregate', () => {
  it('only counts its inputs here, and never what an aggregation wrote', () => {
    const written = series({ __name__: 'up:sum', job: 'api' });
    const list = [
      { name: 'agg', match: '{job="api"}', aggregate: { op: 'sum', interval: '1m' } },
      { name: 'agg2', match: '{job="api"}', aggregate: { op: 'max', interval: '1m', metric: 'top_*' } },
    ];
    const result = run(
      [
        [up, 1, 1],
        [written, 1, 1],
        [cpu, 1, 1],
      ],
      list,
    );
    expect(showAll(result)).toHaveLength(3);
    expect(result.counts.map(({ touched }) => touched)).toEqual([1, 1]);
  });
});

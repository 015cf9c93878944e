import { describe, expect, it } from 'vitest';
import { detectorFileSchema } from '#alerts/detectors/detector-file.ts';
import { checkRuleTemplate } from '#alerts/rules/rule-templates.ts';
import { checkYamlFile, formatProblem, parseYamlFile } from '#config/yaml-file.ts';
import { parseExpr } from '#query/promql/parse.ts';

function readFile(text: string) {
  const yaml = parseYamlFile('detectors/a.yaml', text);
  const checked =
    'value' in yaml ? checkYamlFile(yaml, detectorFileSchema({ checkExpr: parseExpr, checkTemplate: checkRuleTemplate })) : yaml;
  return 'value' in checked ? { groups: checked.value, problems: [] } : { groups: [], problems: checked.map(formatProblem) };
}

const detector = (text: string) => `groups:\n  - name: g\n    detectors:\n      - {kind: pattern, alert: X, ${text}}\n`;

describe('a file of detectors', () => {
  it('is read into groups, whose labels and annotations are those of their detectors unless these have their own', () => {
    const { groups, problems } = readFile(`
groups:
  - name: shop
    interval: 30s
    limit: 5
    labels: {team: shop, severity: warning}
    annotations: {runbook: https://r.example}
    detectors:
      - alert: DeployBroke
        kind: pattern
        by: [service]
        for: 1m
        keep_firing_for: 10m
        labels: {severity: critical}
        annotations: {summary: '{{ $labels.service }}: {{ $labels.__explanation__ }}'}
        sequence:
          steps:
            - {name: deploy, expr: 'changes(version[1m]) > 0'}
            - {name: errors, expr: 'rate(errors[1m]) > 1', within: 5m}
          without: [rollback > 0]
          settle: 2m
`);
    expect(problems).toEqual([]);
    expect(groups).toMatchObject([
      {
        name: 'shop',
        intervalMs: 30_000,
        limit: 5,
        rules: [
          {
            kind: 'detector',
            name: 'DeployBroke',
            expr: 'changes(version[1m]) > 0',
            forMs: 60_000,
            keepFiringForMs: 600_000,
            labels: { team: 'shop', severity: 'critical' },
            annotations: { runbook: 'https://r.example' },
            detector: {
              kind: 'pattern',
              by: ['service'],
              pattern: {
                form: 'sequence',
                steps: [{ name: 'deploy' }, { name: 'errors', withinMs: 300_000 }],
                without: [{ name: 'rollback > 0', expr: 'rollback > 0' }],
                settleMs: 120_000,
              },
            },
          },
        ],
      },
    ]);
  });

  const forms: readonly [string, string, unknown][] = [
    [
      'beginnings within a time',
      'count: {expr: up == 0, times: 3, within: 10m}',
      { form: 'count', counts: 'beginnings', times: 3, windowMs: 600_000 },
    ],
    [
      'n of m evaluations',
      'count: {expr: up == 0, times: 3, of: 5}',
      { form: 'count', counts: 'evaluations', times: 3, windowMs: 300_000 },
    ],
    ['flapping', 'flapping: {expr: up == 0, changes: 4, within: 1h}', { form: 'flapping', changes: 4, windowMs: 3_600_000 }],
    [
      'a heartbeat',
      'heartbeat: {expr: up, missing_for: 5m}',
      { form: 'heartbeat', missingForMs: 300_000, seenForMs: 0, forgetAfterMs: 604_800_000 },
    ],
    [
      'a change by a share',
      'change: {expr: up, ratio: 0.5, within: 1h}',
      { form: 'change', direction: 'either', by: 0.5, isRelative: true },
    ],
    ['a stuck counter', 'stuck: {expr: up, for: 5m, while: queue > 0}', { form: 'stuck', forMs: 300_000, while: { name: 'queue > 0' } }],
  ];
  it.each(forms)('takes %s', (_, text, expected) => {
    const { groups, problems } = readFile(detector(text));
    expect(problems).toEqual([]);
    expect(groups[0]?.rules[0]).toMatchObject({ detector: { pattern: expected } });
  });

  it('takes anomalies, with what they leave out as it is by default', () => {
    const { groups, problems } = readFile(`
groups:
  - name: g
    interval: 2m
    detectors:
      - {kind: anomaly, alert: '2nd load!', expr: sum(load)}
      - kind: anomaly
        alert: Odd
        expr: sum by (job) (rate(requests[5m]))
        for: 5m
        keep_firing_for: 1h
        score: 0.98
        reasons: [spike, missing-data]
        expected_interval: 2m
        missing_after: 10d
        max_series: 5000
        record: job:requests
`);
    expect(problems).toEqual([]);
    expect(groups[0]?.rules).toEqual([
      {
        ...{ kind: 'detector', name: '2nd load!', expr: 'sum(load)', forMs: 0, keepFiringForMs: 1_800_000, labels: {}, annotations: {} },
        detector: {
          ...{ kind: 'anomaly', expr: 'sum(load)', score: 0.9, expectedIntervalMs: undefined, missingAfterMs: undefined },
          ...{ forgetAfterMs: 604_800_000, maxSeries: 1_000, record: '_2nd_load_' },
          reasons: ['new-extreme', 'spike', 'seasonal', 'level-shift', 'distribution-change', 'flat-line', 'missing-data'],
        },
      },
      expect.objectContaining({
        forMs: 300_000,
        keepFiringForMs: 3_600_000,
        detector: {
          ...{ kind: 'anomaly', expr: 'sum by (job) (rate(requests[5m]))', score: 0.98, reasons: ['spike', 'missing-data'] },
          ...{ expectedIntervalMs: 120_000, missingAfterMs: 864_000_000, forgetAfterMs: 1_728_000_000, maxSeries: 5_000 },
          record: 'job:requests',
        },
      }),
    ]);
  });

  const anomaly = (text: string) => `groups: [{name: g, detectors: [{kind: anomaly, alert: X, ${text}}]}]`;
  const faults: readonly [string, string, string][] = [
    ['a kind that nobody knows', 'groups: [{name: g, detectors: [{kind: magic, alert: X}]}]', 'kind takes: pattern, anomaly'],
    [
      'a field that nobody knows',
      detector('flap: 1, heartbeat: {expr: up, missing_for: 5m}'),
      'is not a field here; accepted: kind, alert',
    ],
    ['no pattern', detector('by: [a]'), 'takes exactly one of sequence, count, flapping, heartbeat, change, stuck; got none'],
    [
      'two patterns',
      detector('heartbeat: {expr: up, missing_for: 5m}, stuck: {expr: up, for: 5m}'),
      'takes exactly one of sequence, count, flapping, heartbeat, change, stuck; got heartbeat and stuck',
    ],
    ['an expression that does not parse', detector('heartbeat: {expr: up +, missing_for: 5m}'), 'could not parse expression "up +"'],
    [
      'a template that does not parse',
      detector('heartbeat: {expr: up, missing_for: 5m}, annotations: {a: "{{ nope }}"}'),
      'function "nope" not defined',
    ],
    ['a sequence without a bound', detector('sequence: {steps: [a, b]}'), 'sequence: takes within, or a within of each step but the first'],
    ['a count without a window', detector('count: {expr: up, times: 2}'), 'count: takes exactly one of within and of'],
    ['a count that can never be', detector('count: {expr: up, times: 3, of: 2}'), '3 times of 2 evaluations can never be'],
    ['a window of too many evaluations', detector('flapping: {expr: up, changes: 3, within: 2d}'), 'spans more than 2000 evaluations'],
    [
      'a heartbeat forgotten before it is missed',
      detector('heartbeat: {expr: up, missing_for: 5m, forget_after: 5m}'),
      'forget_after must be longer',
    ],
    [
      'a name that comes twice',
      'groups:\n- &g {name: g, detectors: [{kind: pattern, alert: X, stuck: {expr: up, for: 5m}}]}\n- *g\n',
      '"g" is repeated',
    ],
    ['an anomaly of nothing', anomaly('score: 0.9'), 'groups[0].detectors[0].expr'],
    ['an anomaly of what does not parse', anomaly('expr: up +'), 'detectors[0].expr: could not parse expression "up +"'],
    ['a score that noise reaches', anomaly('expr: up, score: 0.5'), 'score: must be at least 0.632; got the number 0.5'],
    ['a score that none reaches', anomaly('expr: up, score: 1'), 'score: must be less than 1; got the number 1'],
    ['a reason that nobody knows', anomaly('expr: up, reasons: [odd]'), 'reasons[0]: accepted: new-extreme, spike, seasonal'],
    ['no reason', anomaly('expr: up, reasons: []'), 'reasons'],
    ['too many series', anomaly('expr: up, max_series: 20000'), 'max_series'],
    ['a record that needs quotes', anomaly('expr: up, record: a b'), 'record: must be the name of a metric'],
    ['a pattern in an anomaly', anomaly('expr: up, stuck: {expr: up, for: 5m}'), 'is not a field here; accepted: kind, alert'],
    [
      'an anomaly forgotten before it is missed',
      anomaly('expr: up, missing_after: 1h, forget_after: 1h'),
      'forget_after: must be longer than missing_after',
    ],
    [
      'two bands of one name',
      'groups: [{name: g, detectors: [{kind: anomaly, alert: X, expr: up}]}, {name: h, detectors: [{kind: anomaly, alert: X, expr: up}]}]',
      'groups[1].detectors[0].record: X is recorded by another detector of this file',
    ],
    ['no YAML', 'groups: [', 'is no valid YAML'],
  ];
  it.each(faults)('says what is wrong: %s', (_, text, expected) => {
    const { groups, problems } = readFile(text);
    expect(groups).toEqual([]);
    expect(problems.join('\n')).toContain(expected);
  });

  it('names the place', () => {
    expect(readFile(detector('stuck: {expr: up, for: soon}')).problems[0]).toMatch(
      /^detectors\/a\.yaml:4:\d+: groups\[0\]\.detectors\[0\]\.stuck\.for: must be a duration/,
    );
  });
});

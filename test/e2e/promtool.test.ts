import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRuleFiles } from '#local/cli/check-rule-files.ts';
import { testRuleFiles } from '#local/cli/test-rule-files.ts';
import { corpus } from '#test/corpora.ts';
import { debianProgram } from '#test/debian.ts';

const folder = corpus('rule-tests');
const promtool = debianProgram('prometheus', 'promtool');

/** Where Debian's promtool, which is 2.42, says otherwise than Prometheus 3.14, whose cases hold: the files, and why. */
const newer: Readonly<Record<string, string>> = {
  'promtool/features.yml': 'functions, durations and modifiers that came with 3.x',
  'promtool/start-time-test.yml': 'start_timestamp came with 3.x',
  'promtool/no-test-group-interval.yml': 'that the interval of a test may be left out came with 3.x',
  'promtool/rules_run_fuzzy.yml': 'fuzzy_compare came with 3.x (both fail, but for other reasons)',
  'promtool/rules_run_no_fuzzy.yml': 'fuzzy_compare came with 3.x (both fail, but for other reasons)',
  'promtool/unittest.yml': 'native histograms in tests, and ranges without their left end, came with 3.x',
  'promtool/rules_extrafields.yml': '--ignore-unknown-fields came with 3.x (both fail without it)',
  'rulefmt/utf-8_lname.good.yaml': 'UTF-8 names of labels came with 3.0',
  'rulefmt/utf-8_annotation.good.yaml': 'UTF-8 names of annotations came with 3.0',
  'rulefmt/legacy_validation_annotation.bad.yaml': 'UTF-8 names of annotations came with 3.0',
};

/** The differences that show in the exit code. */
const differing = [
  'promtool/features.yml',
  'promtool/start-time-test.yml',
  'promtool/no-test-group-interval.yml',
  'promtool/unittest.yml',
  'rulefmt/utf-8_lname.good.yaml',
  'rulefmt/utf-8_annotation.good.yaml',
  'rulefmt/legacy_validation_annotation.bad.yaml',
];

/** Rules and tests of them that take the states of alerts, and the form of files, through more than upstream's do. */
const rules = `groups:
- name: first
  rules:
  - alert: Slow
    expr: latency > 5
    for: 2m
    keep_firing_for: 2m
    labels: { severity: "{{ if gt $value 8.0 }}page{{ else }}mail{{ end }}", region: "{{ $externalLabels.region }}" }
    annotations:
      text: "{{ $labels.job }} is at {{ $value | humanizeDuration }}"
      link: "{{ .ExternalURL }}/x"
      other: '{{ with query "up" }}{{ . | first | value }}{{ end }}'
  - record: latency:max
    expr: max by (job) (latency)
- name: second
  rules:
  - record: latency:twice
    expr: latency:max * 2
  - alert: Twice
    expr: latency:twice > 12
- name: same
  rules:
  - { record: same, expr: vector(1) }
  - { record: same, expr: vector(1) }
- name: limited
  limit: 1
  rules:
  - alert: Limited
    expr: up == 0
`;
const input = `  input_series:
  - { series: 'latency{job="a"}', values: "1 6 7 9 _ _ _ 1 9 stale 9 9 9 9x5" }
  - { series: 'up{job="a"}', values: "1x20" }
  external_labels: { region: eu }
  external_url: https://example.org
`;
const head = (more = '') => `rule_files: [rules.yml]\n${more}tests:\n- interval: 1m\n${input}`;
const alerts = (evalTime: string, name: string, expected: string) =>
  `  alert_rule_test:\n  - { eval_time: ${evalTime}, alertname: ${name}, exp_alerts: ${expected} }\n`;
const exprs = (evalTime: string, expr: string, samples: string) =>
  `  promql_expr_test:\n  - { eval_time: ${evalTime}, expr: '${expr}', exp_samples: ${samples} }\n`;
const slow = (severity: string, text: string) =>
  `[{ exp_labels: { severity: ${severity}, job: a, region: eu }, exp_annotations: { text: "${text}", link: "https://example.org/x", other: "1" } }]`;

const tests: Readonly<Record<string, string>> = {
  'not yet firing': head() + alerts('2m', 'Slow', '[]'),
  'a label that changes makes another alert': head() + alerts('3m', 'Slow', '[]'),
  'a firing alert': head() + alerts('13m', 'Slow', slow('page', 'a is at 9s')),
  'a firing alert with other texts': head() + alerts('13m', 'Slow', slow('mail', 'a is at 9s')),
  'kept firing after a stale marker': head() + alerts('9m', 'Slow', '[]'),
  'pending in ALERTS':
    head() +
    exprs(
      '2m',
      'ALERTS{alertstate="pending"}',
      `[{ labels: 'ALERTS{alertname="Slow",alertstate="pending",job="a",region="eu",severity="mail"}', value: 1 }]`,
    ),
  'firing in ALERTS':
    head() +
    exprs(
      '12m',
      'count by (alertname, alertstate) (ALERTS)',
      `[{ labels: '{alertname="Slow",alertstate="firing"}', value: 1 }, { labels: '{alertname="Twice",alertstate="firing"}', value: 1 }]`,
    ),
  'since when':
    head() +
    exprs(
      '13m',
      'ALERTS_FOR_STATE{alertname="Slow"}',
      `[{ labels: 'ALERTS_FOR_STATE{alertname="Slow",job="a",region="eu",severity="page"}', value: 480 }]`,
    ),
  'recordings of groups in order':
    head('group_eval_order: [first, second]\n') + exprs('8m', 'latency:twice', `[{ labels: 'latency:twice{job="a"}', value: 18 }]`),
  'a recording that is gone': head() + exprs('9m', 'latency:max', '[]'),
  'a group named twice': head('group_eval_order: [first, first]\n') + exprs('8m', 'up', '[]'),
  'no alertname': `${head()}  alert_rule_test:\n  - { eval_time: 1m }\n`,
  'an unknown field': `${head()}  nonsense: 1\n`,
  'an interval that is none': head().replace('interval: 1m', 'interval: soon'),
  'another evaluation interval':
    head('evaluation_interval: 3m\n') + exprs('8m', 'latency:max', `[{ labels: 'latency:max{job="a"}', value: 1 }]`),
  'a value that is NaN': head() + exprs('8m', 'latency:max * NaN', `[{ labels: '{job="a"}', value: .nan }]`),
  'a scalar': head() + exprs('8m', '1 + 1', '[{ value: 2 }]'),
  'an expression that is none': head() + exprs('8m', 'sum(', '[]'),
  'labels that are none': head() + exprs('8m', 'up', `[{ labels: 'up{job=', value: 1 }]`),
  'input without a name': `${head()}`.replace("'latency{", "'{}{"),
  'values that are none': `${head()}`.replace('"1 6 7', '"1 6+1 7'),
  'stale repeated': `${head()}`.replace('9 stale', '9 stalex2'),
  'a label twice': `${head()}`.replace('job="a"}\', values: "1 6', 'job="a",job="b"}\', values: "1 6'),
  'a name that is none': `${head()}`.replace("'latency{", "'1atency{"),
  'more alerts than the limit': `${head()}${alerts('1m', 'Limited', '[]')}`.replace(
    '"1x20" }',
    `"0x20" }\n  - { series: 'up{job="b"}', values: "0x20" }`,
  ),
};

/** Tests that are refused in other words. */
const worded: readonly string[] = [
  'an unknown field',
  'an interval that is none',
  'labels that are none',
  'input without a name',
  'values that are none',
  'stale repeated',
  'a label twice',
  'a name that is none',
];

const one = (rule: string, group = '') => `groups:\n- name: g\n${group}  rules:\n  - ${rule}\n`;
const ruleFiles: Readonly<Record<string, string>> = {
  empty: '',
  'no groups': 'groups: []\n',
  'a group without a name': "groups:\n- name: ''\n",
  'a group without rules': 'groups:\n- name: a\n',
  'text for groups': 'groups: all\n',
  'no YAML': 'groups: [\n',
  'a key twice': 'groups:\n- name: a\n  name: b\n',
  'a rule of numbers': one('{ alert: 1, expr: 1, labels: { a: 1 } }'),
  'a truth value as expression': one('{ record: a, expr: true }'),
  'a negative limit': one('{ record: a, expr: 1 }', '  limit: -1\n'),
  'a limit that is no number': one('{ record: a, expr: 1 }', '  limit: many\n'),
  'a duration with a fraction': one('{ alert: a, expr: 1, for: 1.5m }'),
  'a duration without a unit': one('{ alert: a, expr: 1, for: 5 }'),
  'a duration of 0': one('{ alert: a, expr: 1, for: 0 }'),
  'annotations of a recording': one('{ record: a, expr: 1, annotations: { b: c } }'),
  'an interval of 0': one('{ record: a, expr: 1 }', '  interval: 0s\n'),
  'a template that does not end': one('{ alert: a, expr: 1, annotations: { b: "{{ $value" } }'),
  'a function that is none': one('{ alert: a, expr: 1, annotations: { b: "{{ nothing 1 }}" } }'),
  'a template in a recording': one('{ record: a, expr: 1, labels: { b: "{{ $value" } }'),
  'a string as expression': one(`{ record: a, expr: '"text"' }`),
  'a range as expression': one('{ record: a, expr: "up[5m]" }'),
  'a comment as expression': one('{ record: a, expr: "# nothing" }'),
  'null fields': one('{ alert: a, expr: 1, for: null, labels: null }'),
  'a list as labels': one('{ alert: a, expr: 1, labels: [a] }'),
  'a mapping as label': one('{ alert: a, expr: 1, labels: { a: {} } }'),
  'an anchor that is none': one('*nothing'),
};

/** Exit codes of promtool, several files at once: the verdict of each by its own run. */
function verdictOf(args: readonly string[], cwd: string): number {
  const { status, error } = spawnSync(promtool as string, args, { cwd, encoding: 'utf8', timeout: 60_000 });
  if (error) throw error;
  return status === 0 || status === 3 ? 0 : 1;
}

async function ourCheck(file: string): Promise<number> {
  return (await checkRuleFiles([file], { lint: true, isLintFatal: false, ignoreUnknownFields: false })).code;
}

async function ourTest(file: string): Promise<number> {
  return (await testRuleFiles([file], { run: [], ignoreUnknownFields: false })).code;
}

const list = (sub: string, isTest: boolean): string[] =>
  folder === undefined
    ? []
    : readdirSync(join(folder, sub))
        .filter(
          (name) =>
            /\.ya?ml$/.test(name) &&
            !/^(?:prometheus-config|prometheus-aws|url_in|config_with|authorization|.*sd-file|rules_large)/.test(name),
        )
        .filter((name) => /^tests:/m.test(readFileSync(join(folder, sub, name), 'utf8')) === isTest)
        .map((name) => `${sub}/${name}`);

const same = (file: string) => !differing.includes(file);

describe.skipIf(folder === undefined || promtool === undefined)("Debian's promtool", () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quarterdeck-promtool-'));
    await writeFile(join(dir, 'rules.yml'), rules);
  });
  afterAll(async () => await rm(dir, { recursive: true }));

  it.each([...list('promtool', false), ...list('rulefmt', false), ...list('fixtures', false)].filter(same))(
    'checks %s as we do',
    async (file) => {
      expect(await ourCheck(join(folder as string, file))).toBe(verdictOf(['check', 'rules', file], folder as string));
    },
  );

  it.each(list('promtool', true).filter(same))('tests %s as we do', async (file) => {
    expect(await ourTest(join(folder as string, file))).toBe(verdictOf(['test', 'rules', file], folder as string));
  });

  it.each(differing)('says otherwise of %s, for the reason that is listed', async (file) => {
    const isTest = list('promtool', true).includes(file);
    const ours = isTest ? await ourTest(join(folder as string, file)) : await ourCheck(join(folder as string, file));
    expect([ours, verdictOf([isTest ? 'test' : 'check', 'rules', file], folder as string), newer[file]]).toEqual([
      0,
      1,
      expect.any(String),
    ]);
  });

  it.each(Object.entries(ruleFiles))('takes or refuses a rule file with %s as we do', async (name, text) => {
    const file = join(dir, `${name.replaceAll(' ', '-')}.yml`);
    await writeFile(file, text);
    expect(await ourCheck(file)).toBe(verdictOf(['check', 'rules', file], dir));
  });

  it.each(Object.entries(tests))('says of a test on %s what we say', async (name, text) => {
    const file = join(dir, `test-${name.replaceAll(' ', '-')}.yml`);
    await writeFile(file, text);
    const theirs = spawnSync(promtool as string, ['test', 'rules', file], { encoding: 'utf8', timeout: 60_000 });
    const ours = await testRuleFiles([file], { run: [], ignoreUnknownFields: false });
    expect(ours.code).toBe(theirs.status);
    if (!worded.includes(name)) expect(linesOf(ours.lines.join('\n'))).toEqual(linesOf(theirs.stdout + theirs.stderr));
  });
});

/** What is printed to either stream, in whatever order. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

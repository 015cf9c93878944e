import type { Node } from 'yaml';
import { readYamlDocuments, type StrictYaml } from '#alerts/strict-yaml.ts';
import { OpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';

/** A file of unit tests of rules, in the form of promtool. Durations in ms. */
export interface TestFile {
  /** Patterns of rule files, beside the test file. */
  readonly ruleFiles: readonly string[];
  readonly evaluationIntervalMs: number;
  /** Names of groups, the first to be evaluated first. */
  readonly groupEvalOrder: readonly string[];
  /** Whether values that differ by one last bit are equal. */
  readonly isFuzzy: boolean;
  readonly tests: readonly TestGroup[];
}

/** One set of input series, and what is expected of it. */
export interface TestGroup {
  readonly name: string;
  readonly intervalMs: number;
  /** The time that all others are counted from. */
  readonly startMs: number;
  readonly inputSeries: readonly { readonly series: string; readonly values: string }[];
  readonly externalLabels: LabelSet;
  readonly externalUrl: string;
  readonly alertTests: readonly AlertTest[];
  readonly exprTests: readonly ExprTest[];
}

export interface AlertTest {
  readonly evalTimeMs: number;
  readonly alertname: string;
  readonly expected: readonly { readonly labels: LabelSet; readonly annotations: LabelSet }[];
}

export interface ExprTest {
  readonly evalTimeMs: number;
  readonly expr: string;
  readonly expected: readonly ExpectedSample[];
}

export interface ExpectedSample {
  readonly labels: string;
  readonly value: number;
  /** Instead of the value; '' for none. */
  readonly histogram: string;
}

/** Reads a file of tests; `input` with everything that is wrong with its form. An unknown field is wrong. */
export function parseTestFile(text: string): TestFile {
  const [yaml] = readYamlDocuments(text, { onlyFirst: true }).documents;
  const fields = yaml.fields(yaml.root, 'test file', ['rule_files', 'evaluation_interval', 'group_eval_order', 'tests', 'fuzzy_compare']);
  const evaluationIntervalMs = yaml.durationMs(fields.get('evaluation_interval')) || 60_000;
  const file: TestFile = {
    ruleFiles: yaml.list(fields.get('rule_files'), 'list of files').map((node) => yaml.text(node)),
    evaluationIntervalMs,
    groupEvalOrder: yaml.list(fields.get('group_eval_order'), 'list of groups').map((node) => yaml.text(node)),
    isFuzzy: yaml.flag(fields.get('fuzzy_compare')),
    tests: yaml.list(fields.get('tests'), 'list of tests').map((node) => readTest(yaml, node, evaluationIntervalMs)),
  };
  const { groupEvalOrder } = file;
  const repeated = groupEvalOrder.find((name, i) => groupEvalOrder.indexOf(name) < i);
  if (yaml.faults.length > 0) throw new OpsError('input', yaml.faults.map(({ line, message }) => `line ${line}: ${message}`).join('\n'));
  if (repeated !== undefined) throw new OpsError('input', `group name repeated in evaluation order: ${repeated}`);
  return file;
}

const TEST_FIELDS = [
  'interval',
  'input_series',
  'alert_rule_test',
  'promql_expr_test',
  'external_labels',
  'external_url',
  'name',
  'start_timestamp',
];

function readTest(yaml: StrictYaml, node: Node, evaluationIntervalMs: number): TestGroup {
  const fields = yaml.fields(node, 'test', TEST_FIELDS);
  return {
    name: yaml.text(fields.get('name')),
    intervalMs: yaml.durationMs(fields.get('interval')) || evaluationIntervalMs,
    startMs: readStart(yaml, fields.get('start_timestamp')),
    inputSeries: yaml.list(fields.get('input_series'), 'list of series').map((series) => {
      const input = yaml.fields(series, 'input series', ['series', 'values']);
      return { series: yaml.text(input.get('series')), values: yaml.text(input.get('values')) };
    }),
    externalLabels: yaml.textMap(fields.get('external_labels'), 'labels'),
    externalUrl: yaml.text(fields.get('external_url')),
    alertTests: yaml.list(fields.get('alert_rule_test'), 'list of alert tests').map((test) => readAlertTest(yaml, test)),
    exprTests: yaml.list(fields.get('promql_expr_test'), 'list of expression tests').map((test) => readExprTest(yaml, test)),
  };
}

/** Seconds since 1970, or an RFC 3339 time. */
function readStart(yaml: StrictYaml, node: Node | undefined): number {
  const text = yaml.text(node);
  if (text === '') return 0;
  const timeMs = /^-?\d+(?:\.\d+)?$/.test(text) ? Math.round(Number(text) * 1_000) : Date.parse(/^\d{4}-\d\d-\d\dT/.test(text) ? text : '');
  if (!Number.isNaN(timeMs)) return timeMs;
  const message = `start_timestamp is neither seconds since 1970 nor an RFC 3339 time: ${JSON.stringify(text.slice(0, 60))}`;
  yaml.fail(node, message);
  return 0;
}

function readAlertTest(yaml: StrictYaml, node: Node): AlertTest {
  const fields = yaml.fields(node, 'alert test', ['eval_time', 'alertname', 'exp_alerts']);
  return {
    evalTimeMs: yaml.durationMs(fields.get('eval_time')),
    alertname: yaml.text(fields.get('alertname')),
    expected: yaml.list(fields.get('exp_alerts'), 'list of alerts').map((alert) => {
      const expected = yaml.fields(alert, 'expected alert', ['exp_labels', 'exp_annotations']);
      return {
        labels: yaml.textMap(expected.get('exp_labels'), 'labels'),
        annotations: yaml.textMap(expected.get('exp_annotations'), 'annotations'),
      };
    }),
  };
}

function readExprTest(yaml: StrictYaml, node: Node): ExprTest {
  const fields = yaml.fields(node, 'expression test', ['expr', 'eval_time', 'exp_samples']);
  return {
    evalTimeMs: yaml.durationMs(fields.get('eval_time')),
    expr: yaml.text(fields.get('expr')),
    expected: yaml.list(fields.get('exp_samples'), 'list of samples').map((sample) => {
      const expected = yaml.fields(sample, 'expected sample', ['labels', 'value', 'histogram']);
      return {
        labels: yaml.text(expected.get('labels')),
        value: yaml.number(expected.get('value')),
        histogram: yaml.text(expected.get('histogram')),
      };
    }),
  };
}

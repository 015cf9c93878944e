import { formatDuration } from '#core/duration.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Series } from '#model/series.ts';
import type { InstantInput, Query } from '#ports/query.ts';
import { formatAlerts, formatSamples, type InputValue, sameAlerts, sameSamples, type TestAlert, type TestSample } from './compare-test.ts';
import { evaluateGroup } from './evaluate-group.ts';
import type { RenderTemplate } from './expand-alert.ts';
import type { RuleGroup } from './rule.ts';
import { labelSet } from './rule-result.ts';
import type { RuleState } from './rule-state.ts';
import type { AlertTest, ExprTest, TestFile, TestGroup } from './test-file.ts';
import { createTestHistograms, type TestHistograms } from './test-histograms.ts';

/** An empty store of samples, and a query engine over it. */
export interface TestStorage {
  readonly query: Query;
  append(series: Series, sample: { readonly ts: number; readonly value: number; readonly stale: boolean }): void;
}

export interface RuleTestDeps {
  openStorage(options: { readonly subqueryStepMs: number }): TestStorage;
  makeRender(options: {
    readonly query: Query;
    readonly externalLabels: TestGroup['externalLabels'];
    readonly externalUrl: string;
  }): RenderTemplate;
  /** `up{job="a"}` and `1 2+1x3 _ stale`; `input` for what is neither. */
  readSeries(series: string, values: string): { readonly series: Series; readonly values: readonly InputValue[] };
}

const TENANT = 'test';

/**
 * Runs one test of a file over the groups of its rule files, as promtool does: samples appear when their time has come, every group is evaluated
 * each evaluation interval up to the last time asked for, and alerts are compared with the evaluation at or before it. The problems found;
 * none if it passes. An evaluation that fails ends the test.
 */
export async function runTestGroup(deps: RuleTestDeps, file: TestFile, test: TestGroup, groups: readonly RuleGroup[]): Promise<string[]> {
  const unnamed = test.alertTests.find(({ alertname }) => alertname === '');
  if (unnamed) return [missingAlertname(unnamed, test)];
  const opened = deps.openStorage({ subqueryStepMs: file.evaluationIntervalMs });
  const histograms = createTestHistograms();
  const storage = { ...opened, query: histograms.guardRules(opened.query) };
  let load: (untilMs: number) => void;
  try {
    load = loadInput(deps, storage, test, histograms);
  } catch (error) {
    return [problemOf(error)];
  }
  const problems: string[] = [];
  const run = startGroups(deps, storage, test, orderGroups(groups, file.groupEvalOrder));
  const lastMs = Math.max(0, ...[...test.alertTests, ...test.exprTests].map(({ evalTimeMs }) => evalTimeMs));
  for (let afterMs = 0; afterMs <= lastMs; afterMs += file.evaluationIntervalMs) {
    load(test.startMs + afterMs);
    const failed = await run.evaluate(test.startMs + afterMs);
    if (failed.length > 0) return [...problems, ...failed.map((text) => text.replace('@', formatElapsed(afterMs)))];
    const due = test.alertTests.filter(({ evalTimeMs }) => afterMs <= evalTimeMs && evalTimeMs < afterMs + file.evaluationIntervalMs);
    for (const alertTest of due.sort((a, b) => a.evalTimeMs - b.evalTimeMs))
      problems.push(...checkAlerts(test, alertTest, run.firing(alertTest.alertname)));
  }
  load(Number.POSITIVE_INFINITY);
  for (const exprTest of test.exprTests)
    problems.push(...(await checkExpr(deps, histograms.guardTests(opened.query), file, test, exprTest)));
  return problems;
}

function missingAlertname({ evalTimeMs }: AlertTest, { name }: TestGroup): string {
  const where = name === '' ? '' : ` (in TestGroup ${name})`;
  return `an item under alert_rule_test misses required attribute alertname at eval_time ${formatDuration(evalTimeMs)}${where}`;
}

function problemOf(error: unknown): string {
  if (!isOpsError(error)) throw error;
  return error.message;
}

/** Reads the input at once, and gives it to the storage as its time comes. */
function loadInput(
  { readSeries }: RuleTestDeps,
  storage: TestStorage,
  test: TestGroup,
  histograms: TestHistograms,
): (untilMs: number) => void {
  const inputs = test.inputSeries.map(({ series, values }) => ({ ...readSeries(series, values), next: 0 }));
  for (const { series, values } of inputs) {
    if (series.metric === '' && series.labels.length === 0) throw new OpsError('input', 'a series needs a name or labels');
    histograms.declare(series, values);
  }
  return (untilMs) => {
    for (const input of inputs) {
      for (; input.next < input.values.length; input.next++) {
        const ts = test.startMs + input.next * test.intervalMs;
        if (ts > untilMs) break;
        const value = input.values[input.next] as InputValue;
        if (value.kind === 'gap') continue;
        const number = value.kind === 'float' ? value.value : value.kind === 'histogram' ? histograms.store(value.text) : Number.NaN;
        storage.append(input.series, { ts, value: number, stale: value.kind === 'stale' });
      }
    }
  };
}

/** Groups in the order that the file gives; those it does not name are as if they were the first. */
function orderGroups(groups: readonly RuleGroup[], order: readonly string[]): RuleGroup[] {
  const rank = ({ name }: RuleGroup) => Math.max(0, order.indexOf(name));
  return [...groups].sort((a, b) => rank(a) - rank(b));
}

interface GroupsRun {
  /** What failed, with `@` for the time. */
  evaluate(atMs: number): Promise<string[]>;
  firing(alertname: string): TestAlert[];
}

function startGroups(deps: RuleTestDeps, { query, append }: TestStorage, test: TestGroup, groups: readonly RuleGroup[]): GroupsRun {
  const render = deps.makeRender({ query, externalLabels: test.externalLabels, externalUrl: test.externalUrl });
  const running = groups.map((group) => ({ group, states: [] as readonly RuleState[] }));
  const evaluateDeps = {
    query,
    render,
    append: (samples: Parameters<Parameters<typeof evaluateGroup>[0]['append']>[0], ts: number) => {
      for (const { series, value, stale } of samples) append(series, { ts, value, stale });
    },
  };
  return {
    async evaluate(atMs) {
      const failed: string[] = [];
      for (const each of running) {
        const { states } = await evaluateGroup(evaluateDeps, { tenant: TENANT, group: each.group, states: each.states, atMs });
        each.states = states;
        for (const { name, error } of states) if (error !== '') failed.push(`    rule: ${name}, time: @, err: ${error}`);
      }
      return failed;
    },
    firing(alertname) {
      const alerts = running.flatMap(({ states }) => states.filter(({ kind, name }) => kind === 'alert' && name === alertname));
      return alerts
        .flatMap((state) => state.alerts.filter(({ phase }) => phase === 'firing'))
        .map(({ labels, annotations }) => ({ labels: labelSet(labels.labels), annotations }));
    },
  };
}

function checkAlerts({ name }: TestGroup, { alertname, evalTimeMs, expected: tests }: AlertTest, got: readonly TestAlert[]): string[] {
  const expected = tests.map(({ labels, annotations }) => ({ labels: { ...labels, alertname }, annotations }));
  if (sameAlerts(expected, got)) return [];
  const head = name === '' ? '' : `    name: ${name},\n`;
  const shown = `        exp:${formatAlerts(expected)}, \n        got:${formatAlerts(got)}`;
  return [`${head}    alertname: ${alertname}, time: ${formatDuration(evalTimeMs)}, \n${shown}`];
}

async function checkExpr(
  { readSeries }: RuleTestDeps,
  ask: (input: InstantInput) => Promise<readonly TestSample[]>,
  { isFuzzy }: TestFile,
  { startMs }: TestGroup,
  { expr, evalTimeMs, expected: samples }: ExprTest,
): Promise<string[]> {
  const head = `    expr: ${JSON.stringify(expr)}, time: ${formatDuration(evalTimeMs)},`;
  try {
    const got = await ask({ tenant: TENANT, expr, atMs: startMs + evalTimeMs });
    const expected = samples.map(({ labels, value, histogram }): TestSample => {
      const { series, values } = readExpected(readSeries, labels, histogram);
      return { series, value, histogram: values[0]?.kind === 'histogram' ? values[0].text : '' };
    });
    if (sameSamples(expected, got, isFuzzy)) return [];
    return [`${head}\n        exp: ${formatSamples(expected)}\n        got: ${formatSamples(got)}`];
  } catch (error) {
    return [`${head} err: ${problemOf(error)}`];
  }
}

function readExpected(readSeries: RuleTestDeps['readSeries'], labels: string, histogram: string): ReturnType<RuleTestDeps['readSeries']> {
  try {
    return readSeries(labels, histogram);
  } catch (error) {
    throw new OpsError('input', `labels ${JSON.stringify(labels)}: ${problemOf(error)}`, { cause: error });
  }
}

/** A time as Go prints durations: `1h0m0s`. */
function formatElapsed(ms: number): string {
  const seconds = ms / 1_000;
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}h${m}m${s}s` : m > 0 ? `${m}m${s}s` : `${s}s`;
}

import { glob, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { InputValue } from '#alerts/rules/compare-test.ts';
import type { RuleGroup } from '#alerts/rules/rule.ts';
import { formatRuleFileError } from '#alerts/rules/rule-file.ts';
import { createRuleRenderer } from '#alerts/rules/rule-templates.ts';
import { type RuleTestDeps, runTestGroup } from '#alerts/rules/run-rule-tests.ts';
import { parseTestFile } from '#alerts/rules/test-file.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { compileAnchored } from '#core/re2.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import { formatHistogram, type HistogramText, withResetHints } from '#query/promql/histogram-notation.ts';
import { readMetric, readValues, type SequenceValue } from '#query/promql/series-notation.ts';
import { createExprCache, createQueryPort } from '#query/query-port.ts';
import { type FilesReport, readRules } from './check-rule-files.ts';

export interface TestOptions {
  /** Regular expressions of names; none for all tests. */
  readonly run: readonly string[];
  readonly ignoreUnknownFields: boolean;
}

interface TestedFile {
  readonly file: string;
  readonly tests: number;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

/** Runs files of unit tests of rules and reports in promtool's form: 0 where all pass, else 1. */
export async function testRuleFiles(files: readonly string[], options: TestOptions): Promise<FilesReport> {
  const tested: TestedFile[] = [];
  for (const file of files) tested.push(await testFile(file, options));
  const lines = tested.flatMap(({ file, warnings, problems }) => [
    `Unit Testing:  ${file}`,
    ...warnings.map((warning) => `  WARNING: ${warning}`),
    ...(problems.length === 0 ? ['  SUCCESS'] : ['  FAILED:', ...problems]),
    '',
  ]);
  return { lines, json: { files: tested }, code: tested.some(({ problems }) => problems.length > 0) ? 1 : 0 };
}

async function testFile(file: string, options: TestOptions): Promise<TestedFile> {
  const problems: string[] = [];
  const warnings: string[] = [];
  let count = 0;
  try {
    const parsed = parseTestFile(await readText(file));
    const { groups, errors } = await loadRules(dirname(resolve(file)), parsed.ruleFiles, options, warnings);
    const patterns = options.run.map((pattern) => compileAnchored(`(?s:.*)(?:${pattern})(?s:.*)`));
    const wanted = parsed.tests.filter(({ name }) => patterns.length === 0 || patterns.some((pattern) => pattern.test(name)));
    for (const test of wanted) {
      count++;
      problems.push(...(errors.length > 0 ? errors : await runTestGroup(makeDeps(), parsed, test, groups)));
    }
  } catch (error) {
    if (!isOpsError(error)) throw error;
    problems.push(error.message);
  }
  return { file, tests: count, warnings, problems };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new OpsError('input', `${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** The groups of all rule files that the patterns match, each file once. */
async function loadRules(
  folder: string,
  patterns: readonly string[],
  options: TestOptions,
  warnings: string[],
): Promise<{ readonly groups: readonly RuleGroup[]; readonly errors: readonly string[] }> {
  const files = new Set<string>();
  for (const pattern of patterns) {
    const before = files.size;
    for await (const match of glob(pattern, { cwd: folder })) files.add(match);
    if (files.size === before) warnings.push(`no file match pattern ${pattern}`);
  }
  const groups: RuleGroup[] = [];
  const errors: string[] = [];
  for (const file of [...files].sort()) {
    const rules = readRules(await readText(resolve(folder, file)), options);
    groups.push(...rules.groups);
    errors.push(...rules.errors.map((error) => `${file}: ${formatRuleFileError(error)}`));
  }
  return { groups, errors };
}

const LIMITS = { maxSeries: 1_000_000, maxSamples: 50_000_000, maxBytes: Number.MAX_SAFE_INTEGER, timeoutMs: 120_000 };

function makeDeps(): RuleTestDeps {
  const cache = createExprCache();
  return {
    openStorage({ subqueryStepMs }) {
      const source = createMemorySource();
      const query = createQueryPort({ source, limits: LIMITS, now: Date.now, subqueryStepMs, cache });
      return { query, append: (series, sample) => source.append(series, [sample]) };
    },
    makeRender: ({ query, externalLabels, externalUrl }) => createRuleRenderer({ query, tenant: 'test', externalLabels, externalUrl }),
    readSeries(text, values) {
      const { series, rest } = readMetric(text);
      if (rest.trim() !== '') throw new OpsError('input', `not a series: ${text}`);
      return { series, values: toInput(readValues(values)) };
    },
  };
}

function toInput(values: readonly SequenceValue[]): InputValue[] {
  const hinted = withResetHints(values.flatMap((value) => (value.kind === 'histogram' ? [value.histogram] : [])));
  return values.map((value) =>
    value.kind === 'histogram' ? { kind: 'histogram', text: formatHistogram(hinted.shift() as HistogramText) } : value,
  );
}

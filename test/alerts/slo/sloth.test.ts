import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Rule, RuleGroup } from '#alerts/rules/rule.ts';
import { parseRuleFile } from '#alerts/rules/rule-file.ts';
import { BUILT_IN_WINDOWS, findWindows, parseWindowsFile } from '#alerts/slo/alert-windows.ts';
import { generateSloRules } from '#alerts/slo/generate-slo-rules.ts';
import { parseSloFile } from '#alerts/slo/slo-file.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { formatExpr } from '#query/promql/print.ts';
import { corpus } from '#test/corpora.ts';

const folder = corpus('slo-sloth');
const examples = folder === undefined ? [] : readdirSync(join(folder, 'examples')).filter((name) => /\.ya?ml$/.test(name));

/** Examples that are refused, and why. */
const refused: Readonly<Record<string, string>> = {
  // Its queries are MetricsQL, which no Prometheus evaluates either; the plugin switches Sloth's check of PromQL off.
  'victoria-metrics.yml': 'sloth.dev/contrib/validate_victoria_metrics/v1',
};

const modes = { 'prometheus/v1': 'cli-gen-prom', 'sloth.slok.dev/v1': 'cli-gen-k8s', 'openslo/v1alpha': 'cli-gen-openslo' };

function read(...path: string[]): string {
  return readFileSync(join(folder as string, ...path), 'utf8');
}

function generate(text: string): RuleGroup[] {
  return parseSloFile(text).slos.flatMap((slo) =>
    generateSloRules(slo, findWindows(slo.periodMs), { extraLabels: { cmd: 'examplesgen.sh' }, mode: modes[slo.dialect], version: 'dev' }),
  );
}

/** The groups of a golden, rule files and Kubernetes resources alike. */
function readGolden(text: string): readonly RuleGroup[] {
  return parseAllDocuments(text).flatMap((document) => {
    const { groups, spec } = (document as { toJS(): { groups?: unknown; spec?: { groups: unknown } } }).toJS();
    return parseRuleFile(JSON.stringify({ groups: groups ?? spec?.groups }), {
      checkExpr: () => undefined,
      checkTemplate: () => undefined,
    });
  });
}

/** What a rule means: its expression as the parser reads it, and numbers to nine places. */
function normalise(rule: Rule): Rule {
  const printed = formatExpr(parseExpr(rule.expr));
  return { ...rule, expr: printed.replace(/(?<![\w.])\d+\.\d+(?![\w.])/g, (digits) => Number(digits).toFixed(9)) };
}

const normaliseAll = (groups: readonly RuleGroup[]) => groups.map((group) => ({ ...group, rules: group.rules.map(normalise) }));

describe.skipIf(folder === undefined)("Sloth's examples", () => {
  it.each(examples.filter((name) => refused[name] === undefined))('%s gives the rules of its golden', (name) => {
    const golden = normaliseAll(readGolden(read('examples', '_gen', name)));
    expect(golden.length).toBeGreaterThan(0);
    expect(normaliseAll(generate(read('examples', name)))).toEqual(golden);
  });

  it.each(Object.entries(refused))('%s is refused, naming the plugin', (name, plugin) => {
    expect(() => generate(read('examples', name))).toThrow(`plugin "${plugin}" is not known`);
  });

  it.each([
    ['google-30d.yaml', 0],
    ['google-28d.yaml', 1],
  ])('the windows of %s are built in', (name, i) => {
    expect(parseWindowsFile(read('windows', name))).toEqual(BUILT_IN_WINDOWS[i]);
  });

  it('custom windows are read, and generate rules with burn rates of their own', () => {
    const windows = ['7d.yaml', 'custom-30d.yaml'].map((name) => parseWindowsFile(read('examples', 'windows', name)));
    const [slo] = parseSloFile(read('examples', 'getting-started.yml')).slos;
    if (!slo) throw new Error('no SLO');
    const [week, month] = windows.map((each) => generateSloRules(slo, each, { mode: 'm', version: 'v' }));
    const factors = (groups: RuleGroup[] | undefined) =>
      groups?.flatMap(({ rules }) => rules).flatMap(({ expr }) => [...expr.matchAll(/> \((\S+) \*/g)].map((match) => Number(match[1])));
    expect(factors(week)).toEqual([13.44, 13.44, 3.5, 3.5, 1.4, 1.4, 0.98, 0.98].map((factor) => expect.closeTo(factor, 9)));
    expect(factors(month)).toEqual([14.4, 14.4, 4.8, 4.8, 3, 3, 1, 1].map((factor) => expect.closeTo(factor, 9)));
    expect(week?.[0]?.rules.at(-1)?.name).toBe('slo:sli_error:ratio_rate1w');
    expect(month?.[0]?.rules.map(({ name }) => name.replace('slo:sli_error:ratio_rate', ''))).toEqual([
      '2m',
      '15m',
      '30m',
      '1h',
      '3h',
      '12h',
      '1d12h',
      '30d',
    ]);
  });
});

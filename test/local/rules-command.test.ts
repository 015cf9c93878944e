import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findDuplicateRules } from '#alerts/rules/duplicate-rules.ts';
import { formatRuleFileError, readRuleFile } from '#alerts/rules/rule-file.ts';
import { checkRuleTemplate } from '#alerts/rules/rule-templates.ts';
import { checkRuleFiles } from '#local/cli/check-rule-files.ts';
import { runCommand } from '#local/cli/run-command.ts';
import { testRuleFiles } from '#local/cli/test-rule-files.ts';
import { parseExpr } from '#query/promql/parse.ts';
import { corpus } from '#test/corpora.ts';

interface Expected {
  testRules: { cases: { name: string; files: string[]; exit: number; legacy?: boolean; run?: string[]; ignoreUnknownFields?: boolean }[] };
  checkRules: { cases: { file: string; lintFatal?: boolean; exit: number }[] };
  duplicateRules: { file: string; duplicates: { metric: string; labels: Record<string, string> }[] }[];
  parseRules: {
    cases: { file: string; nameValidation?: 'legacy'; error: string | null; everyExpr?: string; rules?: Record<string, unknown>[] }[];
  };
  templateParse: { ruleFile: string; ok: boolean }[];
  errorCount: { ruleFile: string; errors: number }[];
}

const folder = corpus('rule-tests');
const nothing: Expected = {
  testRules: { cases: [] },
  checkRules: { cases: [] },
  duplicateRules: [],
  parseRules: { cases: [] },
  templateParse: [],
  errorCount: [],
};
const expected: Expected = folder === undefined ? nothing : JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
const at = (file: string) => join(folder as string, file);
const checks = { checkExpr: parseExpr, checkTemplate: checkRuleTemplate };
const readFile = (file: string, more = {}) => readRuleFile(readFileSync(at(file), 'utf8'), { ...checks, ...more });

describe.skipIf(folder === undefined)("upstream's cases", () => {
  // Cases marked legacy switch parts of PromQL off, which have been on in Prometheus for years.
  it.each(expected.testRules.cases.filter(({ legacy }) => !legacy))(
    'rules test: $name',
    async ({ files, exit, run = [], ignoreUnknownFields = false }) => {
      const { code, lines } = await testRuleFiles(files.map(at), { run, ignoreUnknownFields });
      expect(code, lines.join('\n')).toBe(exit);
    },
  );

  it.each(expected.checkRules.cases)('rules check: $file', async ({ file, lintFatal = false, exit }) => {
    const { code } = await checkRuleFiles([at(file)], { lint: true, isLintFatal: lintFatal, ignoreUnknownFields: false });
    expect(code).toBe(exit);
  });

  it.each(expected.duplicateRules)('duplicates of $file', ({ file, duplicates }) => {
    expect(findDuplicateRules(readFile(file).groups)).toEqual(duplicates);
  });

  it.each(expected.parseRules.cases)('reading $file gives $error', ({ file, nameValidation, error, everyExpr, rules }) => {
    const { groups, errors } = readFile(file, { nameValidation });
    const [first] = errors.map(formatRuleFileError);
    expect(first ?? '').toContain(error ?? '');
    expect(first === undefined).toBe(error === null);
    const read = groups.flatMap((group) => group.rules);
    if (everyExpr !== undefined) expect(read.every(({ expr }) => expr === everyExpr)).toBe(true);
    for (const [i, { alert, record, ...rest }] of (rules ?? []).entries())
      expect(read[i]).toMatchObject({ name: alert ?? record, ...rest });
  });

  it.each(expected.templateParse)('templates of rule file %#', ({ ruleFile, ok }) => {
    expect(readRuleFile(ruleFile, checks).errors.length === 0).toBe(ok);
  });

  it.each(expected.errorCount)('errors of rule file %#, each at its place', ({ ruleFile, errors }) => {
    const found = readRuleFile(ruleFile, checks).errors;
    expect(new Set(found.map(({ line }) => line)).size).toBe(errors);
  });

  it.each(folder === undefined ? [] : readdirSync(join(folder, 'fixtures')))('fixture %s loads, unless it is the invalid one', (name) => {
    const { groups, errors, warnings } = readFile(`fixtures/${name}`);
    expect(errors.map(({ message }) => message)).toEqual(
      name === 'invalid_rules.yaml' ? [expect.stringContaining('field unexpected_field not found')] : [],
    );
    if (name === 'rules_multi_doc.yaml') expect([groups.length, warnings.length]).toEqual([1, 1]);
  });
});

describe('the command', () => {
  afterEach(() => void vi.restoreAllMocks());

  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const out = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const err = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const code = await runCommand(['rules', ...args]);
    return { code, out: out.mock.calls.join('\n'), err: err.mock.calls.join('\n') };
  }

  async function withFiles(files: Record<string, string>, use: (at: (name: string) => string) => Promise<void>): Promise<void> {
    const dir = await mkdtemp(join(tmpdir(), 'quarterdeck-rules-'));
    try {
      for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
      await use((name) => join(dir, name));
    } finally {
      await rm(dir, { recursive: true });
    }
  }

  const rules =
    'groups:\n- name: g\n  rules:\n  - {record: a, expr: vector(1)}\n  - {record: a, expr: vector(1)}\n  - {alert: A, expr: a > 0}\n';
  const test = (value: number) =>
    `rule_files: [rules.yml]\ntests:\n- promql_expr_test:\n  - {expr: a, exp_samples: [{labels: a, value: ${value}}]}\n`;

  it('checks files, and fails over duplicates only when told to', async () => {
    await withFiles({ 'rules.yml': rules, 'bad.yml': 'groups:\n- name: g\n  rules: {}\n' }, async (path) => {
      expect(await run('check', path('rules.yml'))).toMatchObject({ code: 0, out: expect.stringContaining('1 duplicate rule(s) found') });
      expect(await run('check', '--lint', 'none', path('rules.yml'))).toMatchObject({
        code: 0,
        out: expect.stringContaining('SUCCESS: 3 rules found'),
      });
      expect((await run('check', '--lint-fatal', path('rules.yml'))).code).toBe(3);
      const { code, out } = await run('check', '--json', path('rules.yml'), path('bad.yml'), path('none.yml'));
      const { files } = JSON.parse(out.slice(out.indexOf('{\n  "files"')));
      expect(code).toBe(1);
      expect(files.map(({ errors }: { errors: string[] }) => errors)).toEqual([
        [],
        [`${path('bad.yml')}: 3:10: cannot unmarshal !!map into list of rules`],
        [expect.stringContaining('none.yml: cannot be read')],
      ]);
    });
  });

  it('runs tests beside their rules', async () => {
    await withFiles(
      { 'rules.yml': rules, 'good.yml': test(1), 'bad.yml': test(2), 'alone.yml': test(1).replace('rules.yml', 'r*.txt') },
      async (path) => {
        expect(await run('test', path('good.yml'))).toMatchObject({ code: 0, out: expect.stringContaining('SUCCESS') });
        const bad = await run('test', path('bad.yml'));
        expect([bad.code, bad.out]).toEqual([1, expect.stringContaining('exp: {__name__="a"} 2E+00\n        got: {__name__="a"} 1E+00')]);
        expect((await run('test', path('alone.yml'))).out).toContain('WARNING: no file match pattern r*.txt');
      },
    );
  });

  it.each([
    [[], 'takes check or test'],
    [['prove', 'x'], 'takes check or test'],
    [['check'], 'check takes at least one file'],
    [['check', '--lint', 'all-of-it', 'x'], '--lint takes'],
    [['test', '--nope', 'x'], "Unknown option '--nope'"],
  ])('misused as %s says how it is used', async (args, message) => {
    expect(await run(...args)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });
});

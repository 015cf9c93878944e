import { readFile } from 'node:fs/promises';
import { type DuplicateRule, findDuplicateRules } from '#alerts/rules/duplicate-rules.ts';
import { formatRuleFileError, type RuleFile, readRuleFile } from '#alerts/rules/rule-file.ts';
import { checkRuleTemplate } from '#alerts/rules/rule-templates.ts';
import { parseExpr } from '#query/promql/parse.ts';

export interface CheckOptions {
  readonly lint: boolean;
  readonly isLintFatal: boolean;
  readonly ignoreUnknownFields: boolean;
}

/** What a command over files prints, as text or JSON, and its exit code. */
export interface FilesReport {
  readonly lines: readonly string[];
  readonly json: unknown;
  readonly code: number;
}

/** A rule file as a server would read it, with everything that is wrong. */
export function readRules(text: string, { ignoreUnknownFields }: { readonly ignoreUnknownFields: boolean }): RuleFile {
  return readRuleFile(text, { checkExpr: parseExpr, checkTemplate: checkRuleTemplate, ignoreUnknownFields });
}

interface CheckedFile {
  readonly file: string;
  readonly rules: number;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly duplicates: readonly DuplicateRule[];
}

/** Checks rule files one by one and reports in promtool's form: 0 all well, 1 something wrong, 3 a finding of the lint where that is fatal. */
export async function checkRuleFiles(files: readonly string[], options: CheckOptions): Promise<FilesReport> {
  const checked: CheckedFile[] = [];
  for (const file of files) checked.push(await checkFile(file, options));
  const isWrong = checked.some(({ errors }) => errors.length > 0);
  const isLinted = options.isLintFatal && checked.some(({ duplicates }) => duplicates.length > 0);
  return { lines: checked.flatMap(describeFile), json: { files: checked }, code: isWrong ? 1 : isLinted ? 3 : 0 };
}

async function checkFile(file: string, options: CheckOptions): Promise<CheckedFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { file, rules: 0, errors: [`${file}: cannot be read: ${(error as Error).message}`], warnings: [], duplicates: [] };
  }
  const { groups, errors, warnings } = readRules(text, options);
  return {
    file,
    rules: groups.reduce((sum, { rules }) => sum + rules.length, 0),
    errors: errors.map((error) => `${file}: ${formatRuleFileError(error)}`),
    warnings,
    duplicates: options.lint ? findDuplicateRules(groups) : [],
  };
}

function describeFile({ file, rules, errors, warnings, duplicates }: CheckedFile): string[] {
  const head = [`Checking ${file}`, ...warnings.map((warning) => `  WARNING: ${warning}`)];
  if (errors.length > 0) return [...head, '  FAILED:', ...errors, ''];
  if (duplicates.length === 0) return [...head, `  SUCCESS: ${rules} rules found`, ''];
  const found = duplicates.flatMap(({ metric, labels }) => [
    `Metric: ${metric}`,
    'Label(s):',
    ...Object.entries(labels).map(([name, value]) => `\t${name}: ${value}`),
  ]);
  return [
    ...head,
    '  FAILED:',
    `lint error ${duplicates.length} duplicate rule(s) found.`,
    ...found,
    'Might cause inconsistency while recording expressions',
    '',
  ];
}

import type { Node } from 'yaml';
import type { Fields } from '#alerts/strict-yaml.ts';
import type { LabelSet } from '#model/alert.ts';

export interface RuleFileOptions {
  /** Throws `input` for an expression that does not parse. */
  readonly checkExpr: (expr: string) => void;
  /** Throws `input` for a template of a label or annotation of that alert that does not parse. */
  readonly checkTemplate: (alert: string, text: string) => void;
  readonly ignoreUnknownFields?: boolean | undefined;
  /** Which names labels, annotations and recordings may have; default any UTF-8, as in Prometheus 3. */
  readonly nameValidation?: 'utf8' | 'legacy' | undefined;
}

/** A rule as it is written, and where. */
export interface RuleFields {
  readonly node: Node;
  readonly nodes: Fields;
  readonly record: string;
  readonly alert: string;
  readonly expr: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
}

/** What is wrong with a rule; `node` is where, if not the rule as a whole. */
interface RuleFault {
  readonly node: Node | undefined;
  readonly message: string;
}

const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** True for what may name a label or an annotation. */
export function isLabelName(name: string, { nameValidation }: Pick<RuleFileOptions, 'nameValidation'>): boolean {
  return nameValidation === 'legacy' ? LEGACY_LABEL.test(name) : name !== '' && name.isWellFormed();
}

/** Everything that is wrong with one rule. */
export function checkRule(rule: RuleFields, options: RuleFileOptions): RuleFault[] {
  return [
    ...checkKind(rule),
    ...checkExpr(rule, options),
    ...checkRecording(rule, options),
    ...checkLabels(rule, options),
    ...checkTemplates(rule, options),
  ];
}

function checkKind({ record, alert, nodes }: RuleFields): RuleFault[] {
  if (record !== '' && alert !== '') return [{ node: nodes.get('record'), message: "only one of 'record' and 'alert' must be set" }];
  if (record === '' && alert === '') return [{ node: undefined, message: "one of 'record' or 'alert' must be set" }];
  return [];
}

function checkExpr({ expr, nodes }: RuleFields, options: RuleFileOptions): RuleFault[] {
  if (expr === '') return [{ node: nodes.get('expr'), message: "field 'expr' must be set in rule" }];
  const reason = reasonOf(() => options.checkExpr(expr));
  return reason === undefined ? [] : [{ node: nodes.get('expr'), message: `could not parse expression: ${reason}` }];
}

function checkRecording(rule: RuleFields, { nameValidation }: RuleFileOptions): RuleFault[] {
  const { record, nodes } = rule;
  if (record === '') return [];
  const faults: RuleFault[] = [];
  const fail = (message: string) => faults.push({ node: nodes.get('record'), message });
  if (Object.keys(rule.annotations).length > 0) fail("invalid field 'annotations' in recording rule");
  if (rule.forMs !== 0) fail("invalid field 'for' in recording rule");
  if (rule.keepFiringForMs !== 0) fail("invalid field 'keep_firing_for' in recording rule");
  if (nameValidation === 'legacy' ? !LEGACY_METRIC.test(record) : !record.isWellFormed()) fail(`invalid recording rule name: ${record}`);
  if (/[{}]/.test(record)) fail(`braces present in the recording rule name; should it be in expr?: ${record}`);
  return faults;
}

function checkLabels({ labels, annotations, nodes }: RuleFields, options: RuleFileOptions): RuleFault[] {
  const faults: RuleFault[] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (!isLabelName(name, options) || name === '__name__')
      faults.push({ node: nodes.get('labels'), message: `invalid label name: ${name}` });
    if (!value.isWellFormed()) faults.push({ node: nodes.get('labels'), message: `invalid label value: ${value.toWellFormed()}` });
  }
  for (const name of Object.keys(annotations)) {
    if (!isLabelName(name, options)) faults.push({ node: nodes.get('annotations'), message: `invalid annotation name: ${name}` });
  }
  return faults;
}

function checkTemplates({ alert, labels, annotations, nodes }: RuleFields, options: RuleFileOptions): RuleFault[] {
  if (alert === '') return [];
  const check = (kind: 'label' | 'annotation', texts: LabelSet) =>
    Object.entries(texts).flatMap(([name, text]) => {
      const reason = reasonOf(() => options.checkTemplate(alert, text));
      return reason === undefined ? [] : [{ node: nodes.get(`${kind}s`), message: `${kind} ${JSON.stringify(name)}: ${reason}` }];
    });
  return [...check('label', labels), ...check('annotation', annotations)];
}

/** Why something cannot be taken; what is no `input` error is a defect and goes on. */
function reasonOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if ((error as { kind?: unknown }).kind === 'input') return (error as Error).message;
    throw error;
  }
}

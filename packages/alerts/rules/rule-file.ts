import type { Node } from 'yaml';
import { readYamlDocuments, type StrictYaml } from '#alerts/strict-yaml.ts';
import { OpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import { checkRule, isLabelName, type RuleFields, type RuleFileOptions } from './check-rule.ts';
import type { Rule, RuleGroup } from './rule.ts';

/** Something wrong with a rule file. `line` and `col` count from 1. */
export interface RuleFileError {
  readonly line: number;
  readonly col: number;
  /** Without its place: `group "a", rule 1, "Down": could not parse expression: ...`. */
  readonly message: string;
}

/** A rule file that was read; without groups where there are errors. */
export interface RuleFile {
  readonly groups: readonly RuleGroup[];
  readonly errors: readonly RuleFileError[];
  readonly warnings: readonly string[];
}

const FILE_FIELDS = ['groups'];
const GROUP_FIELDS = ['name', 'interval', 'query_offset', 'limit', 'rules', 'labels'];
const RULE_FIELDS = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'];

/**
 * Reads a file of Prometheus rule groups and says everything that is wrong with it, in the words of Prometheus 3. Only the first
 * YAML document is read, as there. Expressions and templates are checked by the functions handed in.
 */
export function readRuleFile(text: string, options: RuleFileOptions): RuleFile {
  return readGroups(text, options, (yaml) =>
    yaml.list(yaml.fields(yaml.root, 'rule file', FILE_FIELDS).get('groups'), 'list of groups').map((node) => readGroup(yaml, node)),
  );
}

/** Reads one rule group by itself, as Mimir's ruler is sent them; else as `readRuleFile`. */
export function readRuleGroup(text: string, options: RuleFileOptions): RuleFile {
  return readGroups(text, options, (yaml) => {
    if (yaml.root === undefined && yaml.faults.length === 0) yaml.fail(undefined, 'there is no rule group');
    return yaml.root ? [readGroup(yaml, yaml.root)] : [];
  });
}

function readGroups(text: string, options: RuleFileOptions, read: (yaml: StrictYaml) => GroupFields[]): RuleFile {
  const { documents, count } = readYamlDocuments(text, { ...options, onlyFirst: true });
  const [yaml] = documents;
  const groups = read(yaml);
  const warnings = count > 1 ? ['the file has more than one YAML document; only the first is read'] : [];
  if (yaml.faults.length > 0) return { groups: [], errors: yaml.faults, warnings };
  const errors = checkGroups(yaml, groups, options);
  return { groups: errors.length > 0 ? [] : groups.map(toGroup), errors, warnings };
}

/** The groups of a rule file; `input` with everything that is wrong, a line each. */
export function parseRuleFile(text: string, options: RuleFileOptions): readonly RuleGroup[] {
  const { groups, errors } = readRuleFile(text, options);
  if (errors.length > 0) throw new OpsError('input', errors.map(formatRuleFileError).join('\n'));
  return groups;
}

/** `4:9: group "a", rule 1, "Down": ...` */
export function formatRuleFileError({ line, col, message }: RuleFileError): string {
  return `${line}:${col}: ${message}`;
}

interface GroupFields {
  readonly node: Node;
  readonly name: string;
  readonly intervalMs: number | undefined;
  readonly queryOffsetMs: number | undefined;
  readonly limit: number;
  readonly labels: LabelSet;
  readonly rules: readonly RuleFields[];
}

function readGroup(yaml: StrictYaml, node: Node): GroupFields {
  const fields = yaml.fields(node, 'rule group', GROUP_FIELDS);
  const optionalMs = (name: string) => (fields.get(name) === undefined ? undefined : yaml.durationMs(fields.get(name)));
  return {
    node,
    name: yaml.text(fields.get('name')),
    intervalMs: optionalMs('interval') || undefined,
    queryOffsetMs: optionalMs('query_offset'),
    limit: yaml.integer(fields.get('limit')),
    labels: yaml.textMap(fields.get('labels'), 'labels'),
    rules: yaml.list(fields.get('rules'), 'list of rules').map((rule) => readRule(yaml, rule)),
  };
}

function readRule(yaml: StrictYaml, node: Node): RuleFields {
  const fields = yaml.fields(node, 'rule', RULE_FIELDS);
  return {
    node,
    nodes: fields,
    record: yaml.text(fields.get('record')),
    alert: yaml.text(fields.get('alert')),
    expr: yaml.text(fields.get('expr')),
    forMs: yaml.durationMs(fields.get('for')),
    keepFiringForMs: yaml.durationMs(fields.get('keep_firing_for')),
    labels: yaml.textMap(fields.get('labels'), 'labels'),
    annotations: yaml.textMap(fields.get('annotations'), 'annotations'),
  };
}

function checkGroups(yaml: StrictYaml, groups: readonly GroupFields[], options: RuleFileOptions): RuleFileError[] {
  const errors: RuleFileError[] = [];
  const seen = new Set<string>();
  for (const group of groups) {
    const fail = (message: string, node: Node = group.node) => errors.push({ ...yaml.place(node), message });
    if (group.name === '') fail('Groupname must not be empty');
    if (seen.has(group.name)) fail(`groupname: "${group.name}" is repeated in the same file`);
    seen.add(group.name);
    for (const [name, value] of Object.entries(group.labels)) {
      if (!isLabelName(name, options) || name === '__name__') fail(`invalid label name: ${name}`);
      if (!value.isWellFormed()) fail(`invalid label value: ${value.toWellFormed()}`);
    }
    for (const [i, rule] of group.rules.entries()) {
      const where = `group ${JSON.stringify(group.name)}, rule ${i + 1}, ${JSON.stringify(rule.alert || rule.record)}`;
      for (const { node, message } of checkRule(rule, options)) fail(`${where}: ${message}`, node ?? rule.node);
    }
  }
  return errors;
}

function toGroup({ name, intervalMs, queryOffsetMs, limit, labels, rules }: GroupFields): RuleGroup {
  return { name, intervalMs, queryOffsetMs, limit, labels, rules: rules.map((rule) => toRule(rule, labels)) };
}

function toRule({ alert, record, expr, forMs, keepFiringForMs, annotations, ...rule }: RuleFields, groupLabels: LabelSet): Rule {
  const labels = { ...groupLabels, ...rule.labels };
  if (alert === '') return { kind: 'record', name: record, expr, labels };
  return { kind: 'alert', name: alert, expr, forMs, keepFiringForMs, labels, annotations };
}

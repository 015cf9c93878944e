import { hash } from 'node:crypto';
import { compileAnchored, expandTemplate, type Re2 } from '#core/re2.ts';
import { compareUtf8 } from '#core/text.ts';
import { type Label, type Series, seriesFromLabels } from '#model/series.ts';
import { lowerSimple, upperSimple } from './letter-case.ts';
import type { RelabelConfig } from './relabel-config.ts';

/** One step: changes the labels in place and says whether the series stays. */
type Step = (labels: WorkingLabels) => boolean;

/** The series after Prometheus' relabelling (the same object if nothing changed), or undefined where it is dropped. */
export function compileRelabel(configs: readonly RelabelConfig[]): (series: Series) => Series | undefined {
  const steps = configs.map(compileStep);
  return (series) => {
    const labels = openLabels(series);
    for (const step of steps) if (!step(labels)) return undefined;
    if (!labels.changed) return series;
    const kept: Label[] = [];
    for (const [name, value] of labels.values) kept.push({ name, value });
    return kept.length === 0 ? undefined : seriesFromLabels(kept);
  };
}

/**
 * Labels while they are being rewritten, `__name__` among them. The order is that of Prometheus' builder, which decides when
 * labelmap sends two labels to one name: first those that came with the series, by name, then those set since.
 */
interface WorkingLabels {
  readonly values: Map<string, string>;
  readonly added: Set<string>;
  changed: boolean;
}

function openLabels(series: Series): WorkingLabels {
  const all = series.metric === '' ? [...series.labels] : [{ name: '__name__', value: series.metric }, ...series.labels];
  all.sort((a, b) => compareUtf8(a.name, b.name));
  return { values: new Map(all.map(({ name, value }) => [name, value])), added: new Set(), changed: false };
}

function setLabel(labels: WorkingLabels, name: string, value: string): void {
  if (value === '') {
    if (labels.values.delete(name)) labels.changed = true;
    labels.added.delete(name);
    return;
  }
  if (labels.values.get(name) !== value) labels.changed = true;
  if (!labels.added.has(name)) labels.values.delete(name);
  labels.values.set(name, value);
  labels.added.add(name);
}

function compileStep(config: RelabelConfig): Step {
  const { source_labels: sources = [], separator = ';', regex: pattern = '(.*)', replacement = '$1', target_label: target = '' } = config;
  const regex = compileAnchored(pattern);
  const [first = ''] = sources;
  const source = ({ values }: WorkingLabels) =>
    sources.length === 1 ? (values.get(first) ?? '') : sources.map((name) => values.get(name) ?? '').join(separator);
  const set =
    (value: (text: string) => string): Step =>
    (labels) => {
      setLabel(labels, target, value(source(labels)));
      return true;
    };
  switch (config.action) {
    case 'keep':
      return (labels) => regex.test(source(labels));
    case 'drop':
      return (labels) => !regex.test(source(labels));
    case 'keepequal':
      return (labels) => (labels.values.get(target) ?? '') === source(labels);
    case 'dropequal':
      return (labels) => (labels.values.get(target) ?? '') !== source(labels);
    case 'lowercase':
      return set(lowerSimple);
    case 'uppercase':
      return set(upperSimple);
    case 'hashmod':
      return set((text) => hashModulus(text, BigInt(config.modulus as number)));
    case 'replace':
      return (labels) => replace(labels, { regex, target, replacement, text: source(labels) });
    case 'labelmap':
      return (labels) => mapNames(labels, regex, replacement);
    case 'labeldrop':
      return (labels) => dropNames(labels, (name) => regex.test(name));
    case 'labelkeep':
      return (labels) => dropNames(labels, (name) => !regex.test(name));
  }
}

function replace(labels: WorkingLabels, step: { regex: Re2; target: string; replacement: string; text: string }): boolean {
  const match = step.regex.match(step.text);
  if (!match) return true;
  const target = expandTemplate(step.target, match);
  if (target !== '') setLabel(labels, target, expandTemplate(step.replacement, match));
  return true;
}

function mapNames(labels: WorkingLabels, regex: Re2, replacement: string): boolean {
  for (const [name, value] of [...labels.values]) {
    const match = regex.match(name);
    const target = match ? expandTemplate(replacement, match) : '';
    if (target !== '') setLabel(labels, target, value);
  }
  return true;
}

function dropNames(labels: WorkingLabels, drops: (name: string) => boolean): boolean {
  for (const name of [...labels.values.keys()]) if (drops(name)) setLabel(labels, name, '');
  return true;
}

/** The last eight bytes of the MD5, big-endian, modulo: as Prometheus spreads targets. */
function hashModulus(text: string, modulus: bigint): string {
  return String(hash('md5', text, 'buffer').readBigUInt64BE(8) % modulus);
}

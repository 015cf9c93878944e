import type { Fields, StrictYaml } from '#alerts/strict-yaml.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Sli, SloChanges } from './slo.ts';

type YamlNode = Parameters<StrictYaml['text']>[0];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What each known plugin does to an SLO; Sloth's are Go code, these are what they come to. The core ones are what is done in any case. */
const SLO_PLUGINS: Readonly<Record<string, (yaml: StrictYaml, config: YamlNode, changes: Mutable<SloChanges>) => void>> = {
  'sloth.dev/core/debug/v1': () => undefined,
  'sloth.dev/core/validate/v1': () => undefined,
  'sloth.dev/core/sli_rules/v1': () => undefined,
  'sloth.dev/core/metadata_rules/v1': () => undefined,
  'sloth.dev/core/alert_rules/v1': () => undefined,
  'sloth.dev/contrib/info_labels/v1'(yaml, config, changes) {
    const { labels } = readFields(yaml, config, ['labels', 'metricName']);
    changes.infoLabels = { ...changes.infoLabels, ...yaml.textMap(labels, 'labels') };
  },
  'sloth.dev/contrib/rule_intervals/v1'(yaml, config, changes) {
    const { interval } = readFields(yaml, config, ['interval']);
    const fields = yaml.fields(interval, 'intervals', ['default', 'sliError', 'metadata', 'alert']);
    const of = (name: string) => readInterval(yaml, fields, name) ?? readInterval(yaml, fields, 'default');
    changes.intervalMs = { sli: of('sliError'), metadata: of('metadata'), alert: of('alert') };
  },
  'sloth.dev/contrib/denominator_corrected_rules/v1'(_yaml, _config, changes) {
    changes.isDenominatorCorrected = true;
  },
};

/** What chains of plugins change, those of the file before those of the SLO; a plugin that is not known is a fault. */
export function readSloPlugins(yaml: StrictYaml, chains: readonly YamlNode[]): SloChanges {
  const changes: Mutable<SloChanges> = {
    infoLabels: {},
    intervalMs: { sli: undefined, metadata: undefined, alert: undefined },
    isDenominatorCorrected: false,
  };
  for (const chain of chains) {
    const fields = yaml.fields(chain, 'plugins', ['overridePrevious', 'chain']);
    for (const node of yaml.list(fields.get('chain'), 'list of plugins')) {
      const plugin = yaml.fields(node, 'plugin', ['id', 'config', 'priority']);
      const id = yaml.text(plugin.get('id'));
      const change = Object.hasOwn(SLO_PLUGINS, id) ? SLO_PLUGINS[id] : undefined;
      if (change) change(yaml, plugin.get('config'), changes);
      else yaml.fail(node, `plugin ${JSON.stringify(id)} is not known; accepted: ${Object.keys(SLO_PLUGINS).join(', ')}`);
    }
  }
  return changes;
}

function readFields<T extends string>(yaml: StrictYaml, node: YamlNode, names: readonly T[]): Record<T, YamlNode> {
  const fields = yaml.fields(node, 'plugin configuration', names);
  return Object.fromEntries(names.map((name) => [name, fields.get(name)])) as Record<T, YamlNode>;
}

function readInterval(yaml: StrictYaml, fields: Fields, name: string): number | undefined {
  const node = fields.get(name);
  return node === undefined ? undefined : yaml.durationMs(node) || undefined;
}

/** SLIs by plugin: the queries that its options come to. */
const SLI_PLUGINS: Readonly<Record<string, (options: LabelSet) => Sli | string>> = {
  getting_started_availability({ job = '', filter = '' }) {
    if (job === '') return 'option job is missing';
    const selector = filter === '' ? '' : `${filter.replace(/,\s*$/, '')},`;
    const requests = (more: string) => `sum(rate(http_request_duration_seconds_count{ ${selector}job="${job}"${more} }[{{.window}}]))`;
    return { kind: 'raw', errorRatioQuery: `\n${requests(',code=~"(5..|429)"')}\n/\n${requests('')}` };
  },
};

/** The SLI that a plugin makes; one that is not known is a fault. */
export function readSliPlugin(yaml: StrictYaml, node: YamlNode): Sli {
  const fields = yaml.fields(node, 'plugin', ['id', 'options']);
  const id = yaml.text(fields.get('id'));
  const make = Object.hasOwn(SLI_PLUGINS, id) ? SLI_PLUGINS[id] : undefined;
  const made = make ? make(yaml.textMap(fields.get('options'), 'options')) : `accepted: ${Object.keys(SLI_PLUGINS).join(', ')}`;
  if (typeof made !== 'string') return made;
  yaml.fail(node, `SLI plugin ${JSON.stringify(id)} ${make ? 'fails' : 'is not known'}: ${made}`);
  return { kind: 'raw', errorRatioQuery: '' };
}

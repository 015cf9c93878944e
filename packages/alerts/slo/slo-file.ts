import { readYamlDocuments, type StrictYaml } from '#alerts/strict-yaml.ts';
import { OpsError } from '#core/errors.ts';
import { DAY_MS } from '#core/time.ts';
import type { LabelSet } from '#model/alert.ts';
import { WINDOW } from './generate-slo-rules.ts';
import type { Sli, Slo, SloAlert, SloDialect } from './slo.ts';
import { readSliPlugin, readSloPlugins } from './slo-plugins.ts';

/** The SLOs of a file, and what is odd about it but not wrong: fields that nobody reads. */
export interface SloFile {
  readonly slos: readonly Slo[];
  readonly warnings: readonly string[];
}

type YamlNode = Parameters<StrictYaml['text']>[0];

/**
 * Reads a file of SLOs in any of the dialects that Sloth reads, one or more documents: `prometheus/v1`, the Kubernetes resource of
 * `sloth.slok.dev/v1`, and `openslo/v1alpha`. `input` with everything that is wrong, a line each.
 */
export function parseSloFile(text: string): SloFile {
  const { documents, faults, unknown } = readYamlDocuments(text, { ignoreUnknownFields: true });
  const slos = documents.flatMap((yaml) => readDocument(yaml));
  const [first] = documents;
  if (faults.length === 0 && slos.length === 0) first.fail(first.root, 'the file has no SLO');
  const repeated = slos.find(({ id }, i) => slos.findIndex((other) => other.id === id) < i);
  if (repeated) first.fail(first.root, `SLO ${JSON.stringify(repeated.id)} is there twice`);
  const lines = (found: typeof faults) => found.map(({ line, col, message }) => `${line}:${col}: ${message}`);
  if (faults.length > 0) throw new OpsError('input', lines(faults).join('\n'));
  return { slos, warnings: lines(unknown) };
}

function readDocument(yaml: StrictYaml): Slo[] {
  if (yaml.root === undefined) return [];
  const fields = yaml.fields(yaml.root, 'SLO file', [
    'version',
    'apiVersion',
    'kind',
    'metadata',
    'spec',
    'service',
    'labels',
    'slos',
    'slo_plugins',
  ]);
  const version = yaml.text(fields.get('version')) || yaml.text(fields.get('apiVersion'));
  if (version === 'prometheus/v1') return readSloth(yaml, yaml.root, { dialect: version, names: SNAKE });
  if (version === 'sloth.slok.dev/v1') return readSloth(yaml, fields.get('spec'), { dialect: version, names: CAMEL });
  if (version === 'openslo/v1alpha') return readOpenSlo(yaml, fields.get('spec'), fields.get('metadata'));
  yaml.fail(yaml.root, `unknown version ${JSON.stringify(version)}; accepted: prometheus/v1, sloth.slok.dev/v1, openslo/v1alpha`);
  return [];
}

/** How the two dialects of Sloth write the same fields. */
const SNAKE = {
  plugins: 'slo_plugins',
  error: 'error_query',
  total: 'total_query',
  ratio: 'error_ratio_query',
  page: 'page_alert',
  ticket: 'ticket_alert',
};
const CAMEL = {
  plugins: 'sloPlugins',
  error: 'errorQuery',
  total: 'totalQuery',
  ratio: 'errorRatioQuery',
  page: 'pageAlert',
  ticket: 'ticketAlert',
};

interface Dialect {
  readonly dialect: SloDialect;
  readonly names: typeof SNAKE;
}

function readSloth(yaml: StrictYaml, node: YamlNode, dialect: Dialect): Slo[] {
  const { names } = dialect;
  const spec = yaml.fields(node, 'service', ['version', 'service', 'labels', 'slos', names.plugins]);
  const service = readName(yaml, spec.get('service'), 'service', node);
  const labels = yaml.textMap(spec.get('labels'), 'labels');
  return yaml.list(spec.get('slos'), 'list of SLOs').map((slo) => {
    const fields = yaml.fields(slo, 'SLO', ['name', 'description', 'objective', 'labels', 'sli', 'alerting', 'plugins']);
    const name = readName(yaml, fields.get('name'), 'name', slo);
    return {
      dialect: dialect.dialect,
      id: `${service}-${name}`,
      service,
      name,
      description: yaml.text(fields.get('description')),
      objective: readObjective(yaml, fields.get('objective'), slo, 1),
      periodMs: undefined,
      labels: { ...labels, ...yaml.textMap(fields.get('labels'), 'labels') },
      sli: readSli(yaml, fields.get('sli'), slo, names),
      ...readAlerting(yaml, fields.get('alerting'), slo, names),
      changes: readSloPlugins(yaml, [spec.get(names.plugins), fields.get('plugins')]),
    };
  });
}

const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

function readName(yaml: StrictYaml, node: YamlNode, what: string, parent: YamlNode): string {
  const name = yaml.text(node);
  if (!NAME.test(name)) yaml.fail(node ?? parent, `${what} must be letters, digits, "-", "_" and ".", a letter or digit at both ends`);
  return name;
}

function readObjective(yaml: StrictYaml, node: YamlNode, parent: YamlNode, scale: number): number {
  const objective = yaml.number(node) * scale;
  if (!(objective > 0 && objective <= 100)) yaml.fail(node ?? parent, `the objective must be above 0 and at most ${100 / scale}`);
  return objective;
}

function readSli(yaml: StrictYaml, node: YamlNode, parent: YamlNode, names: typeof SNAKE): Sli {
  const fields = yaml.fields(node, 'SLI', ['events', 'raw', 'plugin']);
  const given = fields.names.filter((name) => ['events', 'raw', 'plugin'].includes(name));
  if (given.length !== 1) yaml.fail(node ?? parent, 'an SLI is one of events, raw and plugin');
  if (given[0] === 'plugin') return readSliPlugin(yaml, fields.get('plugin'));
  if (given[0] === 'raw') {
    const raw = yaml.fields(fields.get('raw'), 'raw SLI', [names.ratio]);
    return { kind: 'raw', errorRatioQuery: readQuery(yaml, raw.get(names.ratio), names.ratio, node) };
  }
  const events = yaml.fields(fields.get('events'), 'events SLI', [names.error, names.total]);
  const [errorQuery, totalQuery] = [names.error, names.total].map((name) => readQuery(yaml, events.get(name), name, node)) as [
    string,
    string,
  ];
  if (errorQuery === totalQuery && errorQuery !== '') yaml.fail(node, `${names.error} and ${names.total} must differ`);
  return { kind: 'events', errorQuery, totalQuery };
}

function readQuery(yaml: StrictYaml, node: YamlNode, what: string, parent: YamlNode): string {
  const query = yaml.text(node);
  const rest = query.replaceAll(WINDOW, '');
  if (rest === query) yaml.fail(node ?? parent, `${what} must have {{.window}} where its range is to stand`);
  else if (rest.includes('{{')) yaml.fail(node, `${what} can have no template but {{.window}}`);
  return query;
}

function readAlerting(yaml: StrictYaml, node: YamlNode, parent: YamlNode, names: typeof SNAKE): Pick<Slo, 'alertName' | 'page' | 'ticket'> {
  const fields = yaml.fields(node, 'alerting', ['name', 'labels', 'annotations', names.page, names.ticket]);
  const common = readAlertTexts(yaml, fields);
  const read = (name: string): SloAlert | undefined => {
    const alert = yaml.fields(fields.get(name), 'alert', ['disable', 'labels', 'annotations']);
    if (yaml.flag(alert.get('disable'))) return undefined;
    const own = readAlertTexts(yaml, alert);
    return { labels: { ...common.labels, ...own.labels }, annotations: { ...common.annotations, ...own.annotations } };
  };
  const alerts = { alertName: yaml.text(fields.get('name')), page: read(names.page), ticket: read(names.ticket) };
  if (alerts.alertName === '' && (alerts.page ?? alerts.ticket) !== undefined) yaml.fail(node ?? parent, 'alerting must have a name');
  return alerts;
}

function readAlertTexts(yaml: StrictYaml, fields: ReturnType<StrictYaml['fields']>): { labels: LabelSet; annotations: LabelSet } {
  return { labels: yaml.textMap(fields.get('labels'), 'labels'), annotations: yaml.textMap(fields.get('annotations'), 'annotations') };
}

const OPEN_SPEC = ['service', 'description', 'budgetingMethod', 'objectives', 'timeWindows', 'indicator', 'alertPolicies'];

/** One SLO for each objective of the resource; OpenSLO says nothing of alerts that Sloth would read. */
function readOpenSlo(yaml: StrictYaml, node: YamlNode, metadataNode: YamlNode): Slo[] {
  const spec = yaml.fields(node, 'spec', OPEN_SPEC);
  const metadata = yaml.fields(metadataNode, 'metadata', ['name', 'displayName']);
  const service = readName(yaml, spec.get('service'), 'service', node ?? yaml.root);
  const base = readName(yaml, metadata.get('name'), 'name', metadataNode ?? yaml.root);
  const method = yaml.text(spec.get('budgetingMethod'));
  if (method !== '' && method !== 'Occurrences') yaml.fail(spec.get('budgetingMethod'), 'budgetingMethod must be Occurrences');
  const periodMs = readPeriod(yaml, spec.get('timeWindows'));
  return yaml.list(spec.get('objectives'), 'list of objectives').map((objective, i) => {
    const fields = yaml.fields(objective, 'objective', ['ratioMetrics', 'target', 'displayName', 'value', 'op', 'timeSliceTarget']);
    const name = `${base}-${i}`;
    return {
      dialect: 'openslo/v1alpha',
      id: `${service}-${name}`,
      service,
      name,
      description: yaml.text(spec.get('description')),
      objective: readObjective(yaml, fields.get('target'), objective, 100),
      periodMs,
      labels: {},
      sli: readRatio(yaml, fields.get('ratioMetrics'), objective),
      alertName: '',
      page: undefined,
      ticket: undefined,
      changes: readSloPlugins(yaml, []),
    };
  });
}

function readPeriod(yaml: StrictYaml, node: YamlNode): number | undefined {
  const [window, ...more] = yaml.list(node, 'list of time windows');
  if (window === undefined) return undefined;
  if (more.length > 0) yaml.fail(node, 'only one time window can be given');
  const fields = yaml.fields(window, 'time window', ['count', 'unit', 'isRolling', 'calendar']);
  if (yaml.text(fields.get('unit')) !== 'Day') yaml.fail(fields.get('unit') ?? window, 'the unit of a time window must be Day');
  return yaml.integer(fields.get('count')) * DAY_MS || undefined;
}

function readRatio(yaml: StrictYaml, node: YamlNode, parent: YamlNode): Sli {
  const fields = yaml.fields(node, 'ratio metrics', ['good', 'total', 'counter', 'incremental']);
  const [good, total] = ['good', 'total'].map((name) => {
    const metric = yaml.fields(fields.get(name), 'metric', ['source', 'queryType', 'query']);
    const type = `${yaml.text(metric.get('source'))} ${yaml.text(metric.get('queryType'))}`;
    if (!/^(?:prometheus|sloth) promql$/.test(type))
      yaml.fail(fields.get(name) ?? parent, 'source must be prometheus and queryType promql');
    return readQuery(yaml, metric.get('query'), 'query', fields.get(name) ?? parent);
  });
  return { kind: 'raw', errorRatioQuery: `\n  1 - (\n    (\n      ${good}\n    )\n    /\n    (\n      ${total}\n    )\n  )\n` };
}

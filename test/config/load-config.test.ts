// biome-ignore-all lint/style/noExcessiveLinesPerFile: tables of files with what is said of each

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openConfigFolder } from '#config/config-folder.ts';
import { loadConfig, tenantRules, tenantSettings } from '#config/load-config.ts';
import { isOpsError } from '#core/errors.ts';
import { DAY_MS } from '#core/time.ts';

const load = (files: Record<string, string>) =>
  loadConfig({ readFile: (path) => Promise.resolve(files[path]), list: async () => Object.keys(files) });

const refusal = async (files: Record<string, string>): Promise<string> => {
  try {
    await load(files);
  } catch (error) {
    if (isOpsError(error, 'input')) return error.message;
    throw error;
  }
  return 'accepted';
};
const pipeline = (text: string, others: Record<string, string> = {}) => refusal({ 'pipeline.yaml': text, ...others });
const tenants = (text: string) => refusal({ 'tenants.yaml': text });

describe('a configuration', () => {
  it('without any file has the defaults', async () => {
    const config = await load({});
    expect([...config.tenants.keys()]).toEqual(['default']);
    expect(tenantSettings(config, 'anyone')).toMatchObject({ name: 'anyone', keepUtf8Names: false, retentionMs: { hot: 15 * DAY_MS } });
    expect(tenantRules(config, 'anyone')).toEqual([]);
  });

  it('gives each tenant what it says, then the defaults', async () => {
    const config = await load({
      'tenants.yaml': `
defaults:
  retention: { hot: 7d }
  retentionClasses: { debug: { hot: 1d, warm: 1d, cold: 1d } }
  limits: { maxLabels: 30 }
tenants:
  team-a:
    retention: { hot: 30d }
    limits: { querySeries: 10, queryTimeout: 10s, maxAhead: 1m }
    ingest: { keepUtf8Names: true, segmentShards: 16 }
  team-b:
`,
    });
    expect(tenantSettings(config, 'team-a')).toMatchObject({
      retentionMs: { hot: 30 * DAY_MS, warm: 90 * DAY_MS, cold: 400 * DAY_MS },
      ingestLimits: { maxLabels: 30, maxAgeMs: 30 * DAY_MS, maxAheadMs: 60_000, maxBodyBytes: 64 * 1024 * 1024 },
      queryLimits: { maxSeries: 10, timeoutMs: 10_000 },
      keepUtf8Names: true,
      segmentShards: 16,
    });
    expect(tenantSettings(config, 'team-b')).toMatchObject({ name: 'team-b', retentionMs: { hot: 7 * DAY_MS }, keepUtf8Names: false });
    expect(tenantSettings(config, 'team-b').retentionClasses.get('debug')).toEqual({ hot: DAY_MS, warm: DAY_MS, cold: DAY_MS });
    expect(tenantSettings(config, 'default').ingestLimits.maxLabels).toBe(30);
  });

  it('gives each tenant its own rules, or those of *', async () => {
    const config = await load({
      'tenants.yaml': 'tenants: {team-a: }',
      'pipeline.yaml': `
tenants:
  '*':
    - { name: all, enrich: { lookup: { table: tables/teams.yaml, by: namespace } } }
  team-a:
    - name: own
      match: '{__name__=~"go_.*"}'
      filter: drop
`,
      'tables/teams.yaml': '404: {team: lost}\npayments: {team: money}',
    });
    expect(tenantRules(config, 'team-a').map((rule) => rule.name)).toEqual(['own']);
    expect(tenantRules(config, 'default').map((rule) => rule.name)).toEqual(['all']);
    expect(config.tables.get('tables/teams.yaml')).toEqual({ '404': { team: 'lost' }, payments: { team: 'money' } });
  });

  it('takes Prometheus relabelling as it is written there', async () => {
    const relabel = `
tenants:
  default:
    - name: as in Prometheus
      map:
        - source_labels: [__name__, instance]
          separator: '@'
          regex: 'node_(.*)@(.*):9100'
          target_label: host
          replacement: $2
        - { regex: tmp_.*, action: LabelDrop }
        - { source_labels: [a], target_label: b, action: keepequal, separator: ';' }
`;
    expect(await pipeline(relabel)).toBe('accepted');
  });
});

describe('a wrong tenants.yaml is named by line, column and field', () => {
  it.each([
    [
      'an unknown field',
      'tenants:\n  a:\n    retain: 3d',
      'tenants.yaml:3:5: tenants.a.retain: is not a field here; accepted: retention, retentionClasses, limits, ingest',
    ],
    [
      'a duration without unit',
      'defaults:\n  retention:\n    hot: 15',
      'tenants.yaml:3:10: defaults.retention.hot: must be a duration such as 15d or 1h30m (1d to 100y), in quotes or not',
    ],
    [
      'a duration too short',
      'defaults: {retention: {hot: 1h}}',
      'tenants.yaml:1:29: defaults.retention.hot: must be a duration such as 15d or 1h30m, 1d to 100y; got "1h"',
    ],
    [
      'tiers that end before the finer one does',
      'tenants:\n  a:\n    retention: {hot: 100d}',
      'tenants.yaml:3:16: tenants.a.retention: keeps warm for less time than hot; warm must be at least as long',
    ],
    [
      'a number too great',
      'defaults: {limits: {maxLabels: 5000}}',
      'tenants.yaml:1:32: defaults.limits.maxLabels: must be at most 1000; got the number 5000',
    ],
    [
      'a text for a number',
      'defaults: {limits: {maxLabels: many}}',
      'tenants.yaml:1:32: defaults.limits.maxLabels: takes a number; got "many"',
    ],
    [
      'a switch that is none',
      'defaults: {ingest: {keepUtf8Names: yes}}',
      'tenants.yaml:1:36: defaults.ingest.keepUtf8Names: takes true or false; got "yes"',
    ],
    [
      'a name that cannot be a key',
      'tenants:\n  a/b: {}',
      'tenants.yaml:2:3: tenants."a/b": a tenant is 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first',
    ],
    ['a list for a mapping', 'tenants:\n  - a', 'tenants.yaml:2:3: tenants: takes a mapping; got a list'],
    ['a text for the whole', 'hello', 'tenants.yaml:1:1: takes a mapping; got "hello"'],
    [
      'no YAML',
      'tenants: [a,\nb: }',
      'tenants.yaml:2:1: is no valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['a repeated key', 'tenants: {}\ntenants: {}', 'tenants.yaml:2:1: is no valid YAML: Map keys must be unique'],
    [
      'two documents',
      '--- {}\n--- {}',
      'tenants.yaml:2:1: is no valid YAML: Source contains multiple documents; please use YAML.parseAllDocuments()',
    ],
    ['a tag', 'tenants: !!js/function x', 'tenants.yaml:1:10: is no valid YAML: Unresolved tag: tag:yaml.org,2002:js/function'],
  ])('%s', async (_name, text, message) => expect((await tenants(text)).split('\n')[0]).toBe(message));

  it('all problems of all files at once', async () => {
    const message = await refusal({ 'tenants.yaml': 'x: 1\ny: 2\ndefaults: 3', 'pipeline.yaml': 'rules: []' });
    expect(message.split('\n').map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'tenants.yaml:3:11 defaults',
      'tenants.yaml:1:1 x',
      'tenants.yaml:2:1 y',
      'pipeline.yaml:1:1 rules',
    ]);
  });
});

describe('a wrong pipeline.yaml is named by line, column and field', () => {
  const rules = (text: string) => `tenants:\n  default:\n    - ${text.trim().replaceAll('\n', '\n      ')}\n`;
  it.each([
    [
      'a rule that does nothing',
      'name: a',
      'pipeline.yaml:3:7: tenants.default[0]: takes exactly one of validate, enrich, filter, map, calculate, route, aggregate; it has none',
    ],
    [
      'a rule that does two things',
      'name: a\nmatch: up\nfilter: drop\nroute: {tenant: default}',
      'pipeline.yaml:3:7: tenants.default[0]: takes exactly one of validate, enrich, filter, map, calculate, route, aggregate; it has filter and route',
    ],
    ['a rule without name', 'match: up\nfilter: drop', 'pipeline.yaml:3:7: tenants.default[0].name: is missing; it takes text'],
    [
      'a filter action',
      'name: a\nmatch: up\nfilter: remove',
      'pipeline.yaml:5:15: tenants.default[0].filter: accepted: keep, drop; got "remove"',
    ],
    [
      'a filter without match',
      'name: a\nfilter: drop',
      `pipeline.yaml:3:7: tenants.default[0].match: is missing; a filter rule says what it applies to, such as '{job="api"}'`,
    ],
    [
      'a broken selector',
      `name: a\nmatch: '{job=api}'\nfilter: drop`,
      'pipeline.yaml:4:14: tenants.default[0].match: column 6: there is "a" where a text in quotes should be',
    ],
    [
      'a pattern in a selector',
      `name: a\nmatch: '{job=~"("}'\nfilter: drop`,
      'pipeline.yaml:4:14: tenants.default[0].match: error parsing regexp: missing closing ): `(`',
    ],
    [
      'a pattern of relabelling',
      'name: a\nmap:\n- {source_labels: [a], regex: "a**", target_label: b}',
      'pipeline.yaml:5:37: tenants.default[0].map[0].regex: error parsing regexp: invalid nested repetition operator: `**`',
    ],
    [
      'a number where relabelling takes text',
      'name: a\nmap:\n- {source_labels: [a], regex: 8080, target_label: b}',
      'pipeline.yaml:5:37: tenants.default[0].map[0].regex: takes text; got the number 8080 (put it in quotes)',
    ],
    [
      'a missing target',
      'name: a\nmap:\n- {source_labels: [a]}',
      'pipeline.yaml:5:9: tenants.default[0].map[0].target_label: is missing; the replace action needs it',
    ],
    [
      'a field that the action does not take',
      'name: a\nmap:\n- {action: labeldrop, regex: a, target_label: b}',
      'pipeline.yaml:5:53: tenants.default[0].map[0].target_label: has no place here; labeldrop takes only regex',
    ],
    [
      'an unknown action',
      'name: a\nmap:\n- {action: rename}',
      'pipeline.yaml:5:18: tenants.default[0].map[0].action: accepted: replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase; got "rename"',
    ],
    [
      'an expression',
      'name: a\ncalculate: {metric: r, expr: "a / * b"}',
      'pipeline.yaml:4:36: tenants.default[0].calculate.expr: column 5: there is "*" where a metric name or a number should be',
    ],
    [
      'a tenant that does not exist',
      'name: a\nroute: {tenant: team-z}',
      'pipeline.yaml:4:23: tenants.default[0].route.tenant: routes to "team-z", which is no tenant of tenants.yaml; accepted: default',
    ],
    [
      'a retention class that does not exist',
      'name: a\nroute: {retentionClass: short}',
      'pipeline.yaml:4:31: tenants.default[0].route.retentionClass: is no retention class of tenant default in tenants.yaml; accepted: none is defined; got "short"',
    ],
    [
      'a table that is not there',
      'name: a\nenrich: {lookup: {table: t.yaml, by: x}}',
      'pipeline.yaml:4:32: tenants.default[0].enrich.lookup.table: names t.yaml, which is not in the configuration folder',
    ],
    [
      'a table outside the folder',
      'name: a\nenrich: {lookup: {table: ../t.yaml, by: x}}',
      'pipeline.yaml:4:32: tenants.default[0].enrich.lookup.table: takes a .yaml file inside the configuration folder, such as tables/teams.yaml',
    ],
    [
      'a tag without its labels',
      'name: a\nvalidate: {requiredLabels: [job], action: tag}',
      'pipeline.yaml:4:17: tenants.default[0].validate.tag: says which labels `action: tag` sets; both or neither are given',
    ],
    [
      'a validation of nothing',
      'name: a\nvalidate: {}',
      'pipeline.yaml:4:17: tenants.default[0].validate: checks nothing; it takes requiredLabels, metricName, labelNames, labelValues or value',
    ],
    [
      'an interval too short',
      'name: a\nmatch: up\naggregate: {op: sum, interval: 1s}',
      'pipeline.yaml:5:38: tenants.default[0].aggregate.interval: must be a duration such as 15d or 1h30m, 10s to 1d; got "1s"',
    ],
  ])('%s', async (_name, text, message) => expect(await pipeline(rules(text))).toBe(message));

  it('rules of a tenant that does not exist, and names that repeat', async () => {
    expect(await pipeline('tenants:\n  team-q: []')).toBe(
      `pipeline.yaml:2:3: tenants.team-q: is no tenant of tenants.yaml; accepted: '*', default`,
    );
    expect(await pipeline(`tenants:\n  '*':\n    - {name: a, match: up, filter: drop}\n    - {name: a, match: up, filter: keep}`)).toBe(
      'pipeline.yaml:4:14: tenants.*[1].name: repeats the name of rule 1; names are counted by and must differ',
    );
  });

  it('a table that is wrong, in its own file', async () => {
    const text = 'tenants:\n  default:\n    - {name: a, enrich: {lookup: {table: t.yaml, by: x}}}';
    expect(await pipeline(text, { 't.yaml': 'k: {a: 1}' })).toBe('t.yaml:1:8: k.a: takes text; got the number 1 (put it in quotes)');
    expect(await pipeline(text, { 't.yaml': 'k: {__name__: x}' })).toBe(
      't.yaml:1:5: k.__name__: cannot set __name__; use map with target_label: __name__',
    );
  });
});

describe('a file made to hurt', () => {
  const laughs = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
  ].join('\n');
  it.each([
    ['anchors that multiply', laughs],
    ['an anchor that holds itself', 'tenants: &x {a: *x}'],
    ['an anchor that does not exist', 'tenants: *x'],
    ['a hundred thousand brackets', '['.repeat(100_000)],
    ['nested mappings', '{a: '.repeat(20_000)],
    ['nested dashes', '- '.repeat(50_000)],
    ['five megabytes', 'x'.repeat(5_000_000)],
    ['a broken surrogate', '"\\ud800": 1'],
    ['a prototype', '__proto__: {tenants: {}}'],
    ['a prototype as tenant', 'tenants: {__proto__: {limits: 5}}'],
  ])('%s is refused in good time', async (_name, text) => {
    const startedMs = performance.now();
    expect(await tenants(text)).toMatch(/^tenants\.yaml:\d+:\d+: /);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('never makes anything but an OpsError', async () => {
    const piece = fc.constantFrom(
      'tenants',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '*',
      '&a ',
      "'",
      '"',
      '{',
      '}',
      '[',
      ']',
      'name',
      'match',
      'filter: drop',
      ',',
      '1d',
      '#',
      '|',
      '!!',
      '\t',
      'default',
      'map',
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(text, async (file) => void (await refusal({ 'pipeline.yaml': file, 'tenants.yaml': file }))),
      { numRuns: 500 },
    );
  });

  it('of any shape is refused as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.json({ maxDepth: 5 }),
        async (file) => void (await refusal({ 'pipeline.yaml': `tenants: {default: ${file}}`, 'tenants.yaml': file })),
      ),
    );
  });
});

describe('a configuration folder', () => {
  it('is read from disk; the default one may be absent, a named one may not', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'quarterdeck-config-'));
    try {
      await writeFile(join(dir, 'tenants.yaml'), 'tenants: {team-a: }');
      await writeFile(join(dir, 'pipeline.yaml'), new Uint8Array([0xff, 0xfe]));
      const files = await openConfigFolder({ dir, named: true });
      expect(await files.readFile('tenants.yaml')).toContain('team-a');
      expect(await files.readFile('absent.yaml')).toBeUndefined();
      await expect(loadConfig(files)).rejects.toMatchObject({ kind: 'input', message: 'pipeline.yaml: is not UTF-8 text' });
      const absent = join(dir, 'absent');
      expect((await loadConfig(await openConfigFolder({ dir: absent, named: false }))).tenants.size).toBe(1);
      await expect(openConfigFolder({ dir: absent, named: true })).rejects.toMatchObject({ kind: 'input' });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

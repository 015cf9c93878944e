import { describe, expect, it } from 'vitest';
import { IncidentFile } from '#alerts/incidents/incident-file.ts';
import { DEFAULT_SETTINGS } from '#alerts/incidents/settings.ts';
import { checkYamlFile, formatProblem, parseYamlFile } from '#config/yaml-file.ts';

function readFile(text: string) {
  const yaml = parseYamlFile('incidents.yaml', text);
  const checked = 'value' in yaml ? checkYamlFile(yaml, IncidentFile) : yaml;
  return 'value' in checked ? checked.value : checked.map(formatProblem).join('\n');
}

describe('the settings of incidents', () => {
  it('are as by default where nothing is said', () => {
    expect(readFile('')).toEqual(DEFAULT_SETTINGS);
  });

  it('are read as written', () => {
    const text = `
window: 10m
span: 1h
resolve_after: 1m
min_alerts: 3
group_labels: [cluster]
ignore_labels: [severity]
link_bits: 2.5
correlations:
  - {name: storage, matchers: ['alertname=~"Disk.*"', job="ceph"], labels: [rack], window: 30m}
  - {name: site, labels: [site]}
upstream: [{label: needs, of: app}]
severities: [sev1, sev2]
alert: {labels: {team: sre}}
`;
    expect(readFile(text)).toEqual({
      windowMs: 600_000,
      spanMs: 3_600_000,
      resolveAfterMs: 60_000,
      minAlerts: 3,
      groupLabels: ['cluster'],
      ignoreLabels: ['severity'],
      linkBits: 2.5,
      declared: [
        {
          name: 'storage',
          matchers: [
            { name: 'alertname', op: '=~', value: 'Disk.*' },
            { name: 'job', op: '=', value: 'ceph' },
          ],
          labels: ['rack'],
          windowMs: 1_800_000,
        },
        { name: 'site', matchers: [], labels: ['site'], windowMs: 600_000 },
      ],
      upstream: [{ label: 'needs', of: 'app' }],
      severities: ['sev1', 'sev2'],
      alertLabels: { team: 'sre' },
    });
  });

  const alerts: readonly [string, unknown][] = [
    ['alert: true', {}],
    ['alert: false', undefined],
    ['alert: {}', {}],
  ];
  it.each(alerts)('take %s', (text, expected) => {
    expect(readFile(text)).toMatchObject({ alertLabels: expected });
  });

  const faults: readonly [string, string][] = [
    ['window: soon', 'incidents.yaml:1:9: window: must be a duration'],
    ['windows: 5m', 'windows: is not a field here; accepted: window, span'],
    ['min_alerts: 0', 'min_alerts: must be at least 1'],
    ['correlations: [{name: x, matchers: ["a=~("]}]', 'correlations[0].matchers[0]'],
    [`correlations: [{name: x, matchers: ['a=~"("']}]`, 'correlations[0].matchers[0]'],
    ['alert: maybe', 'alert: takes true, false or {labels}'],
  ];
  it.each(faults)('that are wrong are refused with their place: %s', (text, expected) => {
    expect(readFile(text)).toContain(expected);
  });
});

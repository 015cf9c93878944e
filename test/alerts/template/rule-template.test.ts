import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeRuleFailure, parseRuleTemplate, renderRuleTemplate } from '#alerts/template/rule-template.ts';
import { debianProgram } from '#test/debian.ts';

const labels = { instance: 'web-1.example.com:9090', job: 'web', path: '/a b?x=1' };
const sample = { __name__: 'up', ...labels };
const value = 1234567.5;
const options = {
  nowMs: 600_000,
  query: async (expression: string) => (expression === 'up' ? [{ labels: sample, value }] : []),
};

/** What the annotation of an alert on `up` gives; promtool 2.42 agrees with all of them (see below), but where it is said. */
const annotations: readonly { text: string; gives: string; only3?: true }[] = [
  { text: 'no template', gives: 'no template' },
  { text: 'Instance {{ $labels.instance }} of {{ $labels.job }}', gives: 'Instance web-1.example.com:9090 of web' },
  { text: '{{ .Labels.instance }} {{ .Value }}', gives: 'web-1.example.com:9090 1.2345675e+06' },
  {
    text: '{{ $value }} {{ printf "%.1f" $value }} {{ $value | humanize }} {{ humanize1024 $value }}',
    gives: '1.2345675e+06 1234567.5 1.235M 1.177Mi',
  },
  { text: '{{ $labels.none }}|{{ $externalLabels.none }}', gives: '|' },
  { text: '{{ if gt $value 1000.0 }}high{{ else }}low{{ end }}', gives: 'high' },
  { text: '{{ with query "up" }}{{ . | first | value | humanizeDuration }}{{ end }}', gives: '14d 6h 56m 7s' },
  { text: '{{ range query "up" }}{{ .Labels.job }}={{ .Value }};{{ end }}', gives: 'web=1.2345675e+06;' },
  { text: '{{ with query "none" }}some{{ else }}nothing{{ end }}', gives: 'nothing' },
  { text: '{{ query "up" | first | label "path" }} {{ urlquery $labels.path }}', gives: '/a b?x=1 %2Fa+b%3Fx%3D1' },
  { text: '{{ $labels.instance | stripPort }} {{ $labels.instance | stripDomain }}', gives: 'web-1.example.com web-1:9090' },
  { text: '{{ $value | humanizePercentage }} {{ $value | humanizeTimestamp }}', gives: '1.235e+08% 1970-01-15 06:56:07.5 +0000 UTC' },
  {
    text: '{{ ($value | toTime).Format "2006-01-02" }} {{ $labels }}',
    gives: '1970-01-15 map[__name__:up instance:web-1.example.com:9090 job:web path:/a b?x=1]',
  },
  {
    text: '{{ range $k, $v := $labels }}{{ $k }}={{ $v }},{{ end }}',
    gives: '__name__=up,instance=web-1.example.com:9090,job=web,path=/a b?x=1,',
  },
  {
    text: '{{ reReplaceAll "(.*):.*" "$1" $labels.instance }} {{ match "web" $labels.job }} {{ title "low disk" }}',
    gives: 'web-1.example.com true Low Disk',
  },
  { text: '{{ parseDuration "1h30m" }} {{ graphLink "up > 0" }}', gives: '5400 /graph?g0.expr=up+%3E+0&g0.tab=0' },
  { text: '{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" $labels.job }}', gives: '<web>' },
  {
    text: '{{ urlQueryEscape "a b" }} {{ (toDuration 90).String }} {{ now | toTime }}',
    gives: 'a+b 1m30s 1970-01-01 00:10:00 +0000 UTC',
    only3: true,
  },
  { text: '{{ range 3 }}{{ . }}{{ end }}{{ with 0 }}a{{ else with 1 }}b{{ end }}', gives: '012b', only3: true },
];

/** What an annotation that goes wrong says instead. */
const failures: readonly { text: string; gives: string; only3?: true }[] = [
  {
    text: '{{ $labels.job.x }}',
    gives:
      '<error expanding template: error executing template __alert_Case: template: __alert_Case:1:122: executing "__alert_Case" at <$labels.job.x>: can\'t evaluate field x in type string>',
  },
  {
    text: '{{ .Nope }}',
    gives:
      '<error expanding template: error executing template __alert_Case: template: __alert_Case:1:115: executing "__alert_Case" at <.Nope>: can\'t evaluate field Nope in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }>',
    only3: true,
  },
  {
    text: '{{ query "none" | first }}',
    gives:
      '<error expanding template: error executing template __alert_Case: template: __alert_Case:1:130: executing "__alert_Case" at <first>: error calling first: first() called on vector with no elements>',
  },
];

async function expand(text: string): Promise<string> {
  const data = { labels: sample, externalLabels: {}, value };
  const rendered = renderRuleTemplate(parseRuleTemplate('Case', text), data, options);
  return rendered.catch((error) => describeRuleFailure('Case', error));
}

describe('an annotation of an alert', () => {
  it.each(annotations)('gives what Prometheus gives: $text', async ({ text, gives }) => expect(await expand(text)).toBe(gives));
  it.each(failures)('says what is wrong in its place: $text', async ({ text, gives }) => expect(await expand(text)).toBe(gives));

  it('is refused where it cannot be parsed, in the words of promtool', () => {
    expect(() => parseRuleTemplate('X', '{{ foo }}')).toThrow('template: __alert_X:1: function "foo" not defined');
    expect(() => parseRuleTemplate('X', '{{ $nope }}')).toThrow('template: __alert_X:1: undefined variable "$nope"');
  });

  it('throws on what is no fault of the template', async () => {
    const query = async () => {
      throw new TypeError('a defect');
    };
    const rendered = renderRuleTemplate(
      parseRuleTemplate('X', '{{ query "up" }}'),
      { labels, externalLabels: {}, value },
      { nowMs: 0, query },
    );
    await expect(rendered).rejects.toThrow(TypeError);
  });
});

const promtool = debianProgram('prometheus', 'promtool');

describe.skipIf(!promtool)(`promtool itself${promtool ? '' : ' (absent: test/debian.sh unpack prometheus fetches it on Debian)'}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-promtool-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('expects the same annotations', { timeout: 60_000 }, () => {
    const texts = [...annotations, ...failures].filter(({ only3 }) => !only3);
    const named = (column: 'text' | 'gives') => Object.fromEntries(texts.map((each, i) => [`a${i}`, each[column]]));
    const rule = { alert: 'Case', expr: 'up > 0', annotations: named('text') };
    writeFileSync(join(folder, 'rules.json'), JSON.stringify({ groups: [{ name: 'g', rules: [rule] }] }));
    const series = `up{${Object.entries(labels)
      .map(([name, text]) => `${name}=${JSON.stringify(text)}`)
      .join(',')}}`;
    const test = {
      interval: '1m',
      input_series: [{ series, values: `${value}x20` }],
      alert_rule_test: [{ eval_time: '10m', alertname: 'Case', exp_alerts: [{ exp_labels: labels, exp_annotations: named('gives') }] }],
    };
    writeFileSync(join(folder, 'test.json'), JSON.stringify({ rule_files: ['rules.json'], evaluation_interval: '1m', tests: [test] }));
    const { stdout, stderr } = spawnSync(promtool as string, ['test', 'rules', 'test.json'], { cwd: folder, encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createNotificationRenderer, parseTemplateFiles } from '#alerts/template/notification-template.ts';
import { debianProgram } from '#test/debian.ts';
import { notification, notificationJson } from './notification.ts';

interface Case {
  readonly mode: 'text' | 'html';
  readonly text: string;
  readonly gives: string;
}

/** What Debian's amtool 0.25 gave for each text; the live test below holds it against that. */
const recorded: readonly Case[] = JSON.parse(readFileSync(join(import.meta.dirname, 'amtool-cases.json'), 'utf8'));

/** By text: what later versions give instead, and so do we. */
const later: Readonly<Record<string, { readonly gives: string; readonly since: string }>> = {
  '{{printf "%v" .GroupLabels.SortedPairs}} {{printf "%+v" .CommonLabels.SortedPairs}}': {
    gives: 'alertname=HighLatency alertname=HighLatency, job=web',
    since: 'Alertmanager: pairs print as name=value',
  },
  '{{.CommonLabels.Remove (stringSlice "job" "alertname")}}|': { gives: '|', since: 'Alertmanager: labels print as name=value' },
  '{{print .Alerts.Resolved | len}}': { gives: '263', since: 'Alertmanager: labels print as name=value' },
  '{{printf "%#v" .CommonLabels.Names}}': {
    gives: 'template.Strings{"alertname", "job"}',
    since: 'Alertmanager: names have a type with a method Join',
  },
  '{{ .CommonLabels.SortedPairs.Names.Join }}': {
    gives: 'error: template: :1:16: executing "" at <.CommonLabels.SortedPairs.Names.Join>: wrong number of args for Join: want 1 got 0',
    since: 'Alertmanager: names have a type with a method Join',
  },
  '{{ eq .CommonLabels .CommonLabels }}': {
    gives:
      'error: template: :1:3: executing "" at <eq .CommonLabels .CommonLabels>: error calling eq: non-comparable type alertname=HighLatency, job=web: template.KV',
    since: 'Alertmanager: labels print as name=value',
  },
  '{{ 1) }}': { gives: 'error: template: :1: unexpected right paren', since: 'Go 1.20' },
  '<img src={{ "a b.png" }} alt={{ "x y" }} title={{ "" }}>': {
    gives: '<img src=a%20b.png alt=x&#32;y title=ZgotmplZ>',
    since: 'Go 1.20: a value without quotes is never empty',
  },
};
/** Its printed data have everything above in them. */
const wholeData = '{{$}} ';

const renderer = createNotificationRenderer(parseTemplateFiles([{ name: 'empty.tmpl', text: '{{define "zz"}}{{end}}' }]), notification, {
  nowMs: 0,
});

async function outcome({ mode, text }: Case): Promise<string> {
  return renderer[mode](text).catch((error: Error) => `error: ${error.message}`);
}

describe('templates as amtool renders them', () => {
  const cases = recorded.filter(({ text }) => text !== wholeData);
  it.each(cases)('$mode: $text', async (example) => {
    const gives = await outcome(example);
    expect(example.gives.startsWith('error: ') ? gives.trimEnd() : gives).toBe(later[example.text]?.gives ?? example.gives);
  });
});

const amtool = debianProgram('prometheus-alertmanager', 'amtool');
const separator = '\n-- next --\n';

describe.skipIf(!amtool)(
  `amtool itself${amtool ? '' : ' (absent: test/debian.sh unpack prometheus-alertmanager fetches it on Debian)'}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-amtool-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'empty.tmpl'), '{{define "zz"}}{{end}}');
    writeFileSync(join(folder, 'data.json'), JSON.stringify(notificationJson(notification)));

    function run(mode: string, text: string): string {
      const files = ['--template.glob', join(folder, 'empty.tmpl'), '--template.data', join(folder, 'data.json')];
      const args = ['template', 'render', '--template.type', mode, ...files, '--template.text', text];
      const { status, stdout, stderr } = spawnSync(amtool as string, args, { encoding: 'utf8', env: { TZ: 'UTC' } });
      return status === 0 ? stdout : stderr.replace(/^amtool: /, '').trimEnd();
    }

    it('gives what was recorded, together in one text', () => {
      const whole = recorded.filter(
        ({ mode, text, gives }) => mode === 'text' && !gives.startsWith('error: ') && !/\{\{-?\s*(define|block)|\{\{-|-\}\}/.test(text),
      );
      expect(whole.length).toBeGreaterThan(80);
      const given = run('text', whole.map(({ text }) => text).join(separator)).split(separator);
      expect(given).toEqual(whole.map(({ gives }) => gives));
    });

    it('gives what was recorded, each by itself', { timeout: 60_000 }, () => {
      const alone = recorded.filter(({ mode, gives }, i) => mode === 'html' || (gives.startsWith('error: ') && i % 3 === 0));
      for (const { mode, text, gives } of alone) expect(run(mode, text)).toBe(gives);
    });
  },
);

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseAlertmanagerConfig } from '#alerts/routing/config.ts';
import { parseHostPort } from '#alerts/routing/config-fields.ts';
import { printAlertmanagerConfig } from '#alerts/routing/print-config.ts';
import { isOpsError } from '#core/errors.ts';
import { alertmanagerCorpus, readCases, readCorpus } from './corpus.ts';

interface Verdict {
  readonly ok: boolean;
  readonly error?: string;
  readonly errorContains?: string;
}

const cases = readCases<{
  files: (Verdict & { file: string })[];
  inline: (Verdict & { yaml: string })[];
  hostPort: { in: string; ok: boolean; host?: string; port?: string }[];
  secretTemplateUrl: (Verdict & { in: string })[];
  emptyIntegrationEntry: { key: string; error: string }[];
}>('configs.json');

function verdict(text: string): string {
  try {
    parseAlertmanagerConfig(text, { mode: 'classic' }); // what those cases were written for
    return 'ok';
  } catch (error) {
    if (!isOpsError(error, 'input')) throw error;
    return error.message;
  }
}

function expectVerdict(name: string, text: string, { ok, error, errorContains }: Verdict): void {
  const found = verdict(text);
  if (ok) expect([name, found]).toEqual([name, 'ok']);
  else if (error !== undefined) expect([name, found]).toEqual([name, error]);
  else expect([name, found]).toEqual([name, expect.stringMatching(/^(?!ok$)/)]);
  if (errorContains !== undefined) expect([name, found]).toEqual([name, expect.stringContaining(errorContains)]);
}

describe.skipIf(alertmanagerCorpus === undefined)("configurations, by Alertmanager's own cases", () => {
  it('are taken or refused with the same words: files', () => {
    expect(cases.files).toHaveLength(53);
    for (const { file, ...expected } of cases.files) expectVerdict(file, readCorpus(file), expected);
  });

  it('are taken or refused with the same words: texts', () => {
    expect(cases.inline).toHaveLength(32);
    for (const { yaml, ...expected } of cases.inline) expectVerdict(yaml, yaml, expected);
  });

  it('have addresses and host:port checked as there', () => {
    for (const { in: text, ok, host, port } of cases.hostPort) {
      if (!ok) expect(() => parseHostPort(text)).toThrow();
      else expect(parseHostPort(text)).toEqual(text === '' ? undefined : { host, port });
    }
    for (const { in: url, ok, errorContains } of cases.secretTemplateUrl) {
      const text = `route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: ${JSON.stringify(url)}}]}]`;
      const found = verdict(text);
      if (url === '') expect(found).toBe('one of url or url_file must be configured');
      else expect([url, found]).toEqual([url, ok ? 'ok' : expect.stringContaining(errorContains as string)]);
    }
  });

  it('have no empty integrations', () => {
    expect(cases.emptyIntegrationEntry).toHaveLength(18);
    for (const { key, error } of cases.emptyIntegrationEntry) {
      expect([key, verdict(`route: {receiver: a}\nreceivers: [{name: a, ${key}: [~]}]`)]).toEqual([key, error]);
    }
  });

  it('are printed complete, so that they read again, and without secrets', () => {
    const good = parseAlertmanagerConfig(readCorpus('config/conf.good.yml'));
    const printed = printAlertmanagerConfig(good);
    expect(printed.match(/<secret>/g)).toHaveLength(13);
    expect(printed + JSON.stringify(good) + String(good.global.slack_api_url)).not.toContain('mysecret');
    for (const { file } of cases.files.filter(({ ok }) => ok)) {
      const first = printAlertmanagerConfig(parseAlertmanagerConfig(readCorpus(file)));
      expect([file, parse(printAlertmanagerConfig(parseAlertmanagerConfig(first)))]).toEqual([file, parse(first)]);
    }
  });
});

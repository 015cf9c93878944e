import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reasonCodes } from '#alerts/anomaly/reasons.ts';
import { loadConfig } from '#config/load-config.ts';
import { OpsError } from '#core/errors.ts';
import { compileRules } from '#functions/alert-rules.ts';

const guide = readFileSync(resolve(import.meta.dirname, '../../docs/alerts/detectors.md'), 'utf8');
const examples = [...guide.matchAll(/```yaml\n# (\S+)\n([^`]*)```/g)].map(([, file = '', text = '']) => ({ file, text }));

async function compile(files: Readonly<Record<string, string>>) {
  const config = await loadConfig({ readFile: (path) => Promise.resolve(files[path]), list: async () => Object.keys(files) });
  const rules = await compileRules(config);
  if (rules.problems.length > 0) throw new OpsError('input', rules.problems.join('\n'));
  return rules;
}

describe('the examples of docs/alerts/detectors.md', () => {
  it('are of both kinds and of every form, and name every reason', async () => {
    const { groups } = await compile(Object.fromEntries(examples.map(({ file, text }) => [file, text])));
    const rules = groups.get('default')?.flatMap(({ group }) => group.rules) ?? [];
    const forms = rules.flatMap((rule) =>
      rule.kind !== 'detector' ? [] : rule.detector.kind === 'pattern' ? [rule.detector.pattern.form] : ['anomaly'],
    );
    expect(new Set(forms)).toEqual(new Set(['anomaly', 'sequence', 'count', 'flapping', 'heartbeat', 'change', 'stuck']));
    for (const code of reasonCodes) expect(guide).toContain(`\`${code}\``);
  });

  it.each(examples.map(({ file, text }) => [file, text]))('load: %s', async (file, text) => {
    const { groups } = await compile({ [file]: text });
    expect(groups.get('default')).toHaveLength(1);
  });

  it('are refused when a field is wrong', async () => {
    const { file, text } = examples[0] as (typeof examples)[number];
    await expect(compile({ [file]: text.replace('expr:', 'query:') })).rejects.toMatchObject({ kind: 'input' });
  });
});

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '#config/load-config.ts';

const guide = readFileSync(resolve(import.meta.dirname, '../../docs/pipeline.md'), 'utf8');
const examples = [...guide.matchAll(/```yaml\n# (\S+)\n([^`]*)```/g)].map((match) => ({
  file: match[1] as string,
  text: match[2] as string,
}));
const others = Object.fromEntries(examples.filter(({ file }) => file !== 'pipeline.yaml').map(({ file, text }) => [file, text]));

describe('the examples of docs/pipeline.md', () => {
  it('are of every kind of rule', () => {
    const text = examples.map((example) => example.text).join('\n');
    for (const kind of ['validate', 'enrich', 'filter', 'map', 'calculate', 'route', 'aggregate']) expect(text).toContain(`      ${kind}:`);
    expect(Object.keys(others)).toEqual(['tables/teams.yaml', 'tenants.yaml']);
  });

  it.each(examples.map((example, i) => [`${i + 1}, ${example.file}`, example] as const))('load: %s', async (_name, { file, text }) => {
    const files: Record<string, string> = { ...others, [file]: text };
    const config = await loadConfig({ readFile: (path) => Promise.resolve(files[path]), list: async () => Object.keys(files) });
    expect(config.tenants.size).toBe(3);
  });
});

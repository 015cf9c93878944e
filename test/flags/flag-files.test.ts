import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '#config/load-config.ts';
import { parseFlagSet } from '#flags/flag-set.ts';
import { compileFlags } from '#functions/flag-files.ts';
import { flagRollouts } from '#functions/flags-deps.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const filesOf = (files: Readonly<Record<string, unknown>>) => {
  const texts = Object.fromEntries(
    Object.entries(files).map(([path, value]) => [path, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
  return { readFile: async (path: string) => texts[path], list: async () => Object.keys(texts).sort() };
};

it('reads the flag sets of docs/flags/flags.md', () => {
  const text = readFileSync(resolve(import.meta.dirname, '..', '..', 'docs', 'flags', 'flags.md'), 'utf8');
  const sets = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, set]) => [...parseFlagSet(set as string).flags.keys()]);
  expect(sets).toEqual([['new-checkout', 'header-color'], ['sale']]);
});

describe('flag files of the configuration folder', () => {
  it("are tenant default's, and in a subfolder another's", async () => {
    const config = await loadConfig(
      filesOf({
        'flags/a.json': { flags: { x: onOff } },
        'flags/b.json': { flags: { y: onOff } },
        'flags/acme/a.json': { flags: { x: onOff } },
      }),
    );
    const flags = await compileFlags(config);
    expect([...flags].map(([tenant, own]) => [tenant, ...[...own].map(([key, { file }]) => `${key} ${file}`)])).toEqual([
      ['default', 'x flags/a.json', 'y flags/b.json'],
      ['acme', 'x flags/acme/a.json'],
    ]);
  });

  it('stop the start with a line for each thing that is wrong', async () => {
    const files = filesOf({
      'flags/a.json': { flags: { x: onOff, y: { ...onOff, state: 'MAYBE' }, z: { ...onOff, defaultVariant: 'blue' } } },
      'flags/b.json': '{"flags":',
      'flags/c.json': { flags: { x: onOff } },
      'flags/d.json': { flags: { x: onOff } },
    });
    const failure = await loadWholeConfig(files).catch((error: Error) => error.message);
    expect(String(failure).split('\n')).toEqual([
      expect.stringMatching(/^flags\/a\.json: flags\.y\.state: /),
      'flags/a.json: flags.z.defaultVariant: "blue" is no variant',
      expect.stringMatching(/^flags\/b\.json: is no JSON: /),
      'flags/d.json: flags.x: is in flags/c.json too',
    ]);
  });

  it('are what releases roll out, too', async () => {
    const config = await loadConfig(filesOf({ 'flags/a.json': { flags: { x: onOff } } }));
    let ids = 0;
    const rollouts = flagRollouts({ table: createMemoryTable(), config, now: () => 0, newId: () => `id${++ids}` });
    expect(await rollouts.read('default', 'x')).toEqual({
      variant: 'on',
      percentage: 0,
      steps: [],
      version: 0,
      boundTo: undefined,
      isKilled: false,
    });
    const set = await rollouts.set('default', 'x', 12.3456, { expectedVersion: 0, by: 'release r', reason: '', boundTo: 'r' });
    expect(set).toMatchObject({ percentage: 12.346, version: 1, boundTo: 'r' });
    await expect(rollouts.read('acme', 'x')).rejects.toMatchObject({ kind: 'missing' });
    await expect(rollouts.set('default', 'x', Number.NaN, { by: '', reason: '' })).rejects.toMatchObject({ kind: 'input' });
  });
});

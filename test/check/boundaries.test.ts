import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Finding, lintFolder, lintPlanted, root } from './lint.ts';
import { everywhere, folderRules, folders, imports, layers, otherCases, ownName, restricted, targets } from './violations.ts';

const warnings = ['lint/style/noExcessiveLinesPerFile', 'lint/complexity/noExcessiveLinesPerFunction'];

describe('the check, with a violation planted', () => {
  const planted = new Map<string, string>();
  let findings: Finding[] = [];
  let code = 0;
  const rulesAt = (path: string) => [...new Set(findings.filter((finding) => finding.path === path).map(({ rule }) => rule))].sort();

  beforeAll(async () => {
    for (const folder of folders) {
      for (const target of targets) planted.set(`${folder}/imports-${target}.ts`, imports(`#${target}/nothing-of-this-name.ts`));
    }
    for (const { folders = everywhere, file, text } of folderRules) for (const folder of folders) planted.set(`${folder}/${file}`, text);
    for (const { path, text } of otherCases) planted.set(path, text);
    ({ code, findings } = await lintPlanted(planted));
  });

  it('fails, with errors for all but lengths', () => {
    expect(code).toBe(1);
    for (const { rule, severity } of findings) expect(severity).toBe(warnings.includes(rule) ? 'warning' : 'error');
  });

  it.each(folders)('%s imports its own layers alone', (folder) => {
    const fine = targets.filter((target) => rulesAt(`${folder}/imports-${target}.ts`).length === 0);
    expect(fine.sort()).toEqual([...targets.filter((target) => target === ownName(folder)), ...layers[folder]].sort());
    for (const target of targets.filter((target) => !fine.includes(target))) {
      expect(rulesAt(`${folder}/imports-${target}.ts`)).toEqual([restricted]);
    }
  });

  it.each(folderRules)('$it', ({ folders = everywhere, except = [], file, rules }) => {
    for (const folder of folders) {
      expect(rulesAt(`${folder}/${file}`), folder).toEqual(except.includes(folder) ? [] : rules);
    }
  });

  it.each(otherCases)('$it', ({ path, rules }) => expect(rulesAt(path)).toEqual([...rules].sort()));
});

describe('the check of this project', () => {
  it('passes', async () => {
    const { code, findings } = await lintFolder(root);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(code).toBe(0);
  }, 60_000);

  it('has exactly one list of imports for each folder with code', () => {
    const { overrides } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as { overrides: { includes: string[] }[] };
    const lists = overrides.flatMap(({ includes }) => includes);
    expect(new Set(lists).size).toBe(lists.length);
    const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`);
    for (const folder of [...packages, ...everywhere]) expect(lists).toContain(`${folder}/**`);
  });

  it('runs lint, types and the search for dead code', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    for (const tool of ['biome check .', 'tsc --noEmit', 'tsc --noEmit --project stacks', 'knip']) expect(scripts.check).toContain(tool);
  });
});

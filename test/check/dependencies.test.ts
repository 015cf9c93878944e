import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './lint.ts';

interface Manifest {
  readonly license?: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as Manifest;
const named = { ...dependencies, ...optionalDependencies, ...devDependencies };

const { packages: locked } = JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> };

/** Lines of the tables whose first cell names a package. */
const rows = read('docs/dependencies.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [name, licence, ...rest] = line.split('|').slice(1, -1);
    return { name: name.trim().replaceAll('`', ''), licence: licence.trim(), rest: rest.map((cell) => cell.trim()) };
  });

/** By the package's manifest, or where that says nothing, by the file beside it. */
function licenceOf(name: string): string | undefined {
  const { license } = JSON.parse(read(`node_modules/${name}/package.json`)) as Manifest;
  return license ?? (/Apache License\s+Version 2\.0/.test(read(`node_modules/${name}/LICENSE`)) ? 'Apache-2.0' : undefined);
}

describe('dependencies', () => {
  it('are pinned exactly', () => {
    for (const [name, version] of Object.entries(named)) expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  });

  it('are each described once in docs/dependencies.md, and nothing else is', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(named).sort());
  });

  it('are described by what for, why, size and upkeep', () => {
    for (const { name, rest } of rows) {
      expect(rest, name).toHaveLength(4);
      expect(rest, name).not.toContain('');
    }
  });

  it('have the licences that are written down', () => {
    const installed = rows.filter(({ name }) => existsSync(join(root, 'node_modules', name)));
    expect(installed.length).toBeGreaterThan(Object.keys(dependencies).length);
    for (const { name, licence } of installed) {
      expect(licenceOf(name), name).toBe(licence);
    }
  });

  it('are locked without the address of any registry', () => {
    for (const [path, { resolved }] of Object.entries(locked)) expect(resolved, path).toBeUndefined();
  });

  it('are locked by hash, but for binaries of machines that they are not locked on', () => {
    for (const [path, { integrity, optional, os }] of Object.entries(locked)) {
      if (path !== '' && !(optional && os)) expect(integrity, path).toMatch(/^sha512-/);
    }
  });

  it('are locked with what any machine may need, without which npm ci refuses', () => {
    for (const [path, { optionalDependencies = {} }] of Object.entries(locked)) {
      for (const name of Object.keys(optionalDependencies)) {
        const found = locked[`${path}/node_modules/${name}`] ?? locked[`node_modules/${name}`];
        expect(found, `${name} of ${path || 'package.json'}`).toBeDefined();
      }
    }
  });

  it('are locked at the versions of package.json', () => {
    for (const [name, version] of Object.entries(named)) expect(locked[`node_modules/${name}`]?.version, name).toBe(version);
  });
});

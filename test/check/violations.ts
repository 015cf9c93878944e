/** The rule of imports. */
export const restricted = 'lint/style/noRestrictedImports';

const domains = ['ingest', 'storage', 'query', 'alerts', 'releases', 'flags', 'backups'];
const below = ['core', 'model', 'ports'];

/** What each folder may import besides itself; what is not named here is forbidden. */
export const layers: Record<string, readonly string[]> = {
  'packages/core': [],
  'packages/model': ['core'],
  'packages/ports': ['core', 'model'],
  ...Object.fromEntries(domains.map((name) => [`packages/${name}`, below])),
  'packages/config': below,
  'packages/api': [...below, ...domains, 'config'],
  'packages/aws': below,
  'packages/agent': below,
  'packages/net': below,
  'packages/local': [...below, ...domains, 'config', 'api', 'agent', 'net', 'functions'],
  functions: [...below, ...domains, 'config', 'api', 'aws', 'net'],
  stacks: [...below, 'config', 'functions'],
  scripts: [...below, ...domains, 'config', 'api', 'functions'],
  bin: ['local'],
};
/** The folders that have a layer. */
export const folders = Object.keys(layers);
/** Every folder with code. */
export const everywhere = [...folders, 'test', 'bench'];
/** How imports name a folder. */
export const ownName = (folder: string) => folder.replace('packages/', '');
/** What `#` may name. */
export const targets = [...folders.filter((folder) => folder.startsWith('packages/')).map(ownName), 'functions', 'test'];

/** A file that imports from somewhere. */
export const imports = (from: string) => `import { x } from '${from}';\nconsole.log(x);\n`;

interface Case {
  readonly it: string;
  readonly path: string;
  readonly text: string;
  /** Rules that must speak up; none where the code is fine. */
  readonly rules: readonly string[];
}

interface FolderRule {
  readonly it: string;
  readonly file: string;
  readonly text: string;
  readonly rules: readonly string[];
  /** Where it is planted; everywhere unless told. */
  readonly folders?: readonly string[];
  /** Where it is fine. */
  readonly except?: readonly string[];
}

const pure = ['packages/model', ...domains.map((name) => `packages/${name}`), 'packages/api'];

/** What holds for all folders, or for all but some. */
export const folderRules: FolderRule[] = [
  {
    it: '../ is imported nowhere',
    file: 'climb.ts',
    text: imports('../elsewhere/x.ts'),
    rules: [restricted],
  },
  {
    it: 'nor from a deeper folder',
    file: 'deep/climb.ts',
    text: imports('./../../elsewhere/x.ts'),
    rules: [restricted],
  },
  {
    it: 'the AWS SDK is for packages/aws',
    file: 'sdk.ts',
    text: imports('@aws-sdk/client-s3'),
    rules: [restricted],
    except: ['packages/aws', 'test', 'bench'],
  },
  {
    it: 'SQLite is for packages/local',
    file: 'sqlite.ts',
    text: imports('node:sqlite'),
    rules: [restricted],
    except: ['packages/local', 'test', 'bench'],
  },
  {
    it: 'zod is not imported by name',
    file: 'zod-name.ts',
    text: "import { z } from 'zod';\nconsole.log(z);\n",
    rules: [restricted],
  },
  {
    it: 'zod is imported as a namespace',
    file: 'zod-space.ts',
    text: "import * as z from 'zod';\nconsole.log(z);\n",
    rules: [],
  },
  {
    it: 'the environment is for packages/config',
    file: 'env.ts',
    text: 'console.log(globalThis.process.env.HOME);\n',
    rules: ['lint/style/noProcessEnv'],
    except: ['packages/config', 'test', 'bench'],
  },
  {
    it: 'nor is it taken from process by destructuring',
    file: 'destructured-env.ts',
    text: 'export const { env } = process;\n',
    rules: ['lint/nursery/noJsRestrictedProperties'],
    except: ['packages/config', 'test', 'bench'],
  },
  {
    it: 'nor from node:process',
    file: 'imported-env.ts',
    text: "import { env } from 'node:process';\nconsole.log(env);\n",
    rules: [restricted],
  },
  {
    it: 'what only tests and builds need is not imported by what runs',
    file: 'dev.ts',
    text: imports('fast-check'),
    rules: ['lint/correctness/noUndeclaredDependencies'],
    except: ['test', 'bench', 'stacks'],
  },
  {
    it: 'nothing is exported as default',
    file: 'default.ts',
    text: 'export default 1;\n',
    rules: ['lint/style/noDefaultExport'],
  },
  {
    it: 'no promise floats',
    file: 'floating.ts',
    text: 'export async function work(): Promise<void> {}\nwork();\n',
    rules: ['lint/nursery/noFloatingPromises'],
  },
  {
    it: 'nothing is any',
    file: 'any.ts',
    text: 'export const x = (y: any) => String(y);\n',
    rules: ['lint/suspicious/noExplicitAny'],
  },
  {
    it: 'the clock is handed in',
    file: 'clock.ts',
    text: 'export const at = () => Date.now();\n',
    rules: ['lint/nursery/noJsRestrictedProperties'],
    folders: pure,
  },
  {
    it: 'randomness is handed in',
    file: 'dice.ts',
    text: 'export const roll = () => Math.random();\n',
    rules: ['lint/nursery/noJsRestrictedProperties'],
    folders: pure,
  },
  {
    it: 'ids are handed in',
    file: 'ids.ts',
    text: "import { randomUUID } from 'node:crypto';\nexport const id = () => randomUUID();\n",
    rules: [restricted],
    folders: pure,
  },
];

/** What is planted at one place. */
export const otherCases: Case[] = [
  {
    it: 'a cycle through the same folder',
    path: 'packages/core/ring-a.ts',
    text: "import { b } from './ring-b.ts';\nexport const a = (): number => b();\n",
    rules: ['lint/suspicious/noImportCycles'],
  },
  {
    it: 'the other half of that cycle, by #',
    path: 'packages/core/ring-b.ts',
    text: "import { a } from '#core/ring-a.ts';\nexport const b = (): number => a();\n",
    rules: ['lint/suspicious/noImportCycles'],
  },
  {
    it: 'one half of a cycle of types',
    path: 'packages/core/types-a.ts',
    text: "import type { B } from '#core/types-b.ts';\nexport interface A {\n  b: B;\n}\n",
    rules: ['lint/suspicious/noImportCycles'],
  },
  {
    it: 'the other half of a cycle of types',
    path: 'packages/core/types-b.ts',
    text: "import type { A } from './types-a.ts';\nexport interface B {\n  a: A;\n}\n",
    rules: ['lint/suspicious/noImportCycles'],
  },
  {
    it: 'a package of a new folder that has no layer yet',
    path: 'packages/newcomer/x.ts',
    text: imports('#core/errors.ts'),
    rules: [restricted],
  },
  { it: 'a dynamic import over a boundary', path: 'packages/core/dynamic.ts', text: "await import('#local/x.ts');\n", rules: [restricted] },
  {
    it: 'an export over a boundary',
    path: 'packages/core/passed-on.ts',
    text: "export { x } from '#local/x.ts';\n",
    rules: ['lint/performance/noBarrelFile', restricted],
  },
  {
    it: 'a type imported over a boundary',
    path: 'packages/core/type-only.ts',
    text: "import type { X } from '#local/x.ts';\nexport type Y = X;\n",
    rules: [restricted],
  },
  {
    it: 'a type imported in place',
    path: 'packages/core/in-place.ts',
    text: "export type X = import('#local/x.ts').X;\n",
    rules: ['plugin'],
  },
  {
    it: 'a dependency that package.json does not name',
    path: 'packages/core/undeclared.ts',
    text: imports('lodash'),
    rules: ['lint/correctness/noUndeclaredDependencies'],
  },
  {
    it: 'a schema of ingest that config reads its files by',
    path: 'packages/config/limits.ts',
    text: imports('#ingest/limits.ts'),
    rules: [],
  },
  {
    it: 'another file of ingest in config',
    path: 'packages/config/decoder.ts',
    text: imports('#ingest/remote-write.ts'),
    rules: [restricted],
  },
  {
    it: 'the columns of blocks, which stacks tell Glue',
    path: 'stacks/columns.ts',
    text: imports('#storage/parquet/schema.ts'),
    rules: [],
  },
  { it: 'a default export that vitest asks for', path: 'vitest.config.ts', text: 'export default {};\n', rules: [] },
  {
    it: 'a barrel',
    path: 'packages/core/barrel.ts',
    text: "export * from './one.ts';\n",
    rules: ['lint/performance/noBarrelFile', 'lint/performance/noReExportAll'],
  },
  {
    it: 'a file that is not in kebab-case',
    path: 'packages/core/camelCase.ts',
    text: 'export const x = 1;\n',
    rules: ['lint/style/useFilenamingConvention'],
  },
  {
    it: 'a skipped test',
    path: 'test/core/skipped.test.ts',
    text: "import { it } from 'vitest';\nit.skip('works', () => undefined);\n",
    rules: ['lint/suspicious/noSkippedTests'],
  },
  {
    it: 'a focused test',
    path: 'test/core/focused.test.ts',
    text: "import { it } from 'vitest';\nit.only('works', () => undefined);\n",
    rules: ['lint/suspicious/noFocusedTests'],
  },
  {
    it: 'a file of more than 300 lines',
    path: 'packages/core/long-file.ts',
    text: Array.from({ length: 301 }, (_, i) => `export const x${i} = ${i};\n`).join(''),
    rules: ['lint/style/noExcessiveLinesPerFile'],
  },
  {
    it: 'a function of more than 60 lines',
    path: 'packages/core/long-function.ts',
    text: `export function long(x: number[]) {\n${'  x.push(1);\n'.repeat(61)}}\n`,
    rules: ['lint/complexity/noExcessiveLinesPerFunction'],
  },
];

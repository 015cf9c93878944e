import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import type { Resource } from './aws-mocks.ts';
import { platform, root, unpackPlatform } from './sst-platform.ts';

const BANNER = `import { createRequire as topLevelCreateRequire } from 'module';
const require = topLevelCreateRequire(import.meta.url);
import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from 'url';
const __filename = topLevelFileUrlToPath(import.meta.url);
const __dirname = topLevelFileUrlToPath(new topLevelURL('.', import.meta.url));`;

/** Every resource that `sst deploy` would ask AWS for, by running sst.config.ts with SST's components in a process of its own. */
export async function synthesize(stage: string): Promise<readonly Resource[]> {
  await unpackPlatform();
  const work = await mkdtemp(join(tmpdir(), 'quarterdeck-stacks-'));
  const program = join(platform, `test-${process.pid}-${stage}.mjs`); // beside what it imports by name
  const output = join(work, 'resources.json');
  try {
    await bundleProgram(program, output, stage, work);
    await promisify(execFile)(process.execPath, ['--unhandled-rejections=strict', program], { cwd: root, timeout: 120_000 });
    return JSON.parse(await readFile(output, 'utf8')) as Resource[];
  } finally {
    await rm(program, { force: true });
    await rm(work, { recursive: true });
  }
}

/** As the sst command does it: its globals defined or injected, the providers' names imported by every file of ours. */
async function bundleProgram(outfile: string, output: string, stage: string, work: string): Promise<void> {
  const contents = `
    import { runtime } from '@pulumi/pulumi';
    import { mockAws } from ${JSON.stringify(join(import.meta.dirname, 'aws-mocks.ts'))};
    import { run } from ${JSON.stringify(join(platform, 'src/auto/run.ts'))};
    import config from ${JSON.stringify(join(root, 'sst.config.ts'))};
    await mockAws(${JSON.stringify(output)});
    await runtime.runInPulumiStack(() => run(config.run));
  `;
  await build({
    stdin: { contents, resolveDir: root, sourcefile: 'program.ts', loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: BANNER },
    external: ['@pulumi/*', 'undici', '@pulumiverse/*', '@sst-provider/*', '@aws-sdk/*', 'esbuild', 'vite'],
    inject: [join(platform, 'src/shim/run.js')],
    define: {
      $app: JSON.stringify(await appOf(stage)),
      $cli: JSON.stringify({ command: 'deploy', dev: false, paths: { home: work, root, work, platform }, state: { version: {} } }),
      $dev: 'false',
    },
    plugins: [injectProviders, leaveOutPackaging],
    logLevel: 'error',
  });
}

/** What sst.config.ts says of the stage. */
async function appOf(stage: string): Promise<Record<string, unknown>> {
  const { outputFiles } = await build({
    stdin: { contents: `import config from './sst.config.ts'; export const app = config.app;`, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    define: { $config: 'globalThis.Object' }, // gives back what it is handed
    external: ['./stacks/*'],
  });
  const { app } = (await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)) as {
    app: (input: { stage: string }) => Record<string, unknown>;
  };
  return { ...app({ stage }), stage };
}

const injectProviders: Plugin = {
  name: 'inject-providers',
  setup({ onLoad }) {
    const imports = `import * as aws from '@pulumi/aws'; import * as sst from ${JSON.stringify(join(platform, 'src/components'))};\n`;
    onLoad({ filter: /\/(stacks|functions|packages)\/[^.]*\.ts$|\/sst\.config\.ts$/ }, async ({ path }) => {
      if (path.startsWith(platform) || path.includes('/node_modules/')) return undefined;
      return { contents: imports + (await readFile(path, 'utf8')), loader: 'ts' };
    });
  },
};

/** Nothing is built here, so there is nothing to put into an archive. */
const leaveOutPackaging: Plugin = {
  name: 'leave-out-packaging',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(archiver|glob)$/ }, ({ path }) => ({ path, namespace: 'packaging' }));
    onLoad({ filter: /.*/, namespace: 'packaging' }, ({ path }) => ({ contents: packaging[path as keyof typeof packaging], loader: 'js' }));
  },
};

const packaging = {
  glob: 'export const glob = async () => []; export const globSync = () => [];',
  archiver: `export default () => {
    let target;
    return { on() {}, file() {}, append() {}, pipe(stream) { target = stream; }, async finalize() { target.end('archive'); } };
  };`,
};

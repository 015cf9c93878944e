import { build } from 'esbuild';

const BANNER = `import { createRequire as topLevelCreateRequire } from 'module';
const require = topLevelCreateRequire(import.meta.url);
import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"
const __filename = topLevelFileUrlToPath(import.meta.url)
const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))
`;

/** A function's code as it is deployed. */
export interface Bundle {
  readonly code: Uint8Array;
  /** npm packages that are part of it. */
  readonly packages: ReadonlySet<string>;
  /** Bytes by npm package, or by folder of our own. */
  readonly shares: ReadonlyMap<string, number>;
}

/** Bundles a handler's file as SST 4.17 does with `nodejs.minify`. */
export async function bundleFunction(file: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [file],
    outfile: 'bundle.mjs',
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2024',
    mainFields: ['module', 'main'],
    keepNames: true,
    minify: true,
    metafile: true,
    external: ['sharp', 'pg-native'],
    banner: { js: BANNER },
    logLevel: 'error',
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const shares = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const owner = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path.split('/').slice(0, 2).join('/');
    if (bytesInOutput > 0) shares.set(owner, (shares.get(owner) ?? 0) + bytesInOutput);
  }
  return { code: outputFiles[0].contents, packages: new Set(shares.keys()), shares };
}

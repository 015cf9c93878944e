import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunction } from '#test/stacks/bundle-function.ts';

// What each Lambda function weighs as deployed, and how long it takes to be imported with everything that its first call needs.

const RUNS = 5;
const names = JSON.stringify({ name: 'none' });
/** As on Lambda, so that the adapters are opened too; nothing answers at the address. */
const environment = {
  AWS_LAMBDA_FUNCTION_NAME: 'bench',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  SST_RESOURCE_Blobs: names,
  SST_RESOURCE_Uploads: names,
  SST_RESOURCE_Table: names,
  SST_RESOURCE_Bus: names,
};
const program = `const startMs = performance.now();
globalThis.awslambda = { streamifyResponse: (handler) => handler };
await import(process.argv[2]);
await new Promise(setImmediate);
console.log(performance.now() - startMs);
process.exit();`;

export interface BundleFigures {
  /** As in functions/: `ingest/http`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly importMs: number;
}

/** Bundles every function and imports each a few times in a process of its own; the median counts. */
export async function measureBundles(): Promise<BundleFigures[]> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-bundles-'));
  writeFileSync(join(folder, 'import.mjs'), program);
  const figures: BundleFigures[] = [];
  for (const file of globSync('functions/*/*.ts').sort()) {
    const { code } = await bundleFunction(file);
    const bundle = join(folder, `${file.replaceAll('/', '-')}.mjs`);
    writeFileSync(bundle, code);
    const times = Array.from({ length: RUNS }, () =>
      Number(execFileSync(process.execPath, [join(folder, 'import.mjs'), bundle], { env: environment, encoding: 'utf8' })),
    );
    const importMs = times.sort((a, b) => a - b)[RUNS >> 1];
    figures.push({ name: file.slice('functions/'.length, -'.ts'.length), sizeBytes: code.length, importMs });
  }
  rmSync(folder, { recursive: true });
  return figures;
}

if (import.meta.main) {
  for (const { name, sizeBytes, importMs } of await measureBundles()) {
    console.log(`${name.padEnd(20)} ${String(sizeBytes).padStart(9)} bytes ${importMs.toFixed(0).padStart(4)} ms`);
  }
}

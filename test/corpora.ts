import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const root = process.env.CORPORA ?? resolve(import.meta.dirname, '..', '..', 'shared', 'corpora');

/** The folder of a conformance corpus, or undefined where this machine lacks it (in CI that fails instead of skipping). */
export function corpus(name: string): string | undefined {
  const path = resolve(root, name);
  if (existsSync(path)) return path;
  if (process.env.CI === 'true') throw new Error(`corpus ${name} is missing: set CORPORA to the folder that holds it`);
  return undefined;
}

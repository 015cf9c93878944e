import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { corpus } from '#test/corpora.ts';

const folder = corpus('kayenta');

/** Why suites over the corpus are skipped, as a part of their name; empty where it is there. */
export const skipped = folder === undefined ? ' (skipped: the corpus kayenta is not on this machine)' : '';

/** A file of the corpus as JSON; `fallback` where this machine lacks it. */
export function readCases<T>(file: string, fallback: T): T {
  return folder === undefined ? fallback : (JSON.parse(readFileSync(resolve(folder, file), 'utf8')) as T);
}

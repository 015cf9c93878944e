import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { corpus } from '#test/corpora.ts';

/** The folder of Alertmanager's own cases; undefined where this machine lacks it. */
export const alertmanagerCorpus = corpus('alertmanager');

/** A file of the corpus as text. */
export function readCorpus(file: string): string {
  return readFileSync(resolve(alertmanagerCorpus as string, file), 'utf8');
}

/** A file of the corpus as what its JSON says; an empty one where there is no corpus and its tests are skipped. */
export function readCases<T>(file: string): T {
  return alertmanagerCorpus === undefined ? ({} as T) : (JSON.parse(readCorpus(file)) as T);
}

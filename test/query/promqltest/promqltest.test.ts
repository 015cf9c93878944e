import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpus } from '#test/corpora.ts';
import notYet from './not-yet.json' with { type: 'json' };
import { runScript } from './run-script.ts';

const folder = corpus('promqltest');
const scripts = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.test'));

describe.skipIf(folder === undefined)('upstream scripts', () => {
  it.each(scripts)('%s passes but for what needs native histograms', async (script) => {
    const outcomes = await runScript(readFileSync(join(folder as string, script), 'utf8'));
    const known = (notYet as Record<string, Record<string, string>>)[script];
    const listed = known ?? {};
    const failing = outcomes.filter(({ problem }) => problem !== undefined);
    // A script that nobody has listed yet is held to everything but its native histograms.
    const unlisted = failing.filter(({ line, histograms }) => (known === undefined ? !histograms : listed[line] === undefined));
    const failingLines = new Set(failing.map(({ line }) => String(line)));
    expect(unlisted.map(({ line, expr, problem }) => `line ${line}: ${expr}: ${problem}`)).toEqual([]);
    expect(Object.keys(listed).filter((line) => !failingLines.has(line))).toEqual([]);
    expect(failing.every(({ histograms }) => histograms)).toBe(true);
  });
});

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PARTS } from '#functions/release-files.ts';
import { readYamlValue } from '#functions/yaml-value.ts';
import { configCommand } from '#local/cli/config.ts';
import { flagsCommand } from '#local/cli/flags.ts';
import { releaseCommand } from '#local/cli/release.ts';
import { eventTypes } from '#model/events.ts';
import { releaseEventTypes } from '#model/release-events.ts';
import { applicationFile } from '#releases/application/application-file.ts';

const docs = resolve(import.meta.dirname, '..', '..', 'docs');
const [procedures, readme] = await Promise.all([
  readFile(join(docs, 'deployment', 'procedures.md'), 'utf8'),
  readFile(join(docs, 'examples', 'canary', 'README.md'), 'utf8'),
]);
const schema = applicationFile(PARTS);

/** Fenced blocks of a language, each with the line that it begins at. */
function blocksOf(text: string, language: string): [line: number, block: string][] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(({ 1: block = '', index }) => [
    text.slice(0, index).split('\n').length + 1,
    block,
  ]);
}

describe('docs/deployment/procedures.md', () => {
  const yaml = blocksOf(procedures, 'yaml');
  const isApplication = ([, block]: (typeof yaml)[number]) => block.startsWith('application:');

  it.each(yaml.filter(isApplication))('has an application in line %i that is taken', (_, block) => {
    const { value, problems } = readYamlValue('procedures.md', block, schema);
    expect(problems).toEqual([]);
    expect(value?.environments.length).toBeGreaterThan(0);
  });

  it('has one of each strategy, and no other block that does not say what it is', () => {
    const strategies = yaml.filter(isApplication).flatMap(([, block]) => {
      const { value } = readYamlValue('procedures.md', block, schema);
      return value?.environments.map(({ plan }) => plan.strategy) ?? [];
    });
    expect(strategies).toEqual(expect.arrayContaining(['canary', 'Linear10PercentEvery1Minute', 'blue/green', 'rolling', 'flag']));
    for (const [, block] of yaml.filter((each) => !isApplication(each))) {
      expect(block).toMatch(/^# \.github\//);
      expect(parse(block)).toBeTypeOf('object');
    }
  });

  it('names events that there are, and every one of a release', () => {
    const section = procedures.split('\n## Which events tell\n')[1]?.split('\n## ')[0] ?? '';
    const named = [...section.matchAll(/^\| ([A-Z][^|]*) \|/gm)].flatMap(([, cell = '']) => cell.trim().split(', '));
    const known = eventTypes.map(({ detailType }) => detailType as string);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
    const internal = ['Ci Reported', 'Release Due'];
    expect(
      releaseEventTypes.map(({ detailType }) => detailType as string).filter((name) => ![...named, ...internal].includes(name)),
    ).toEqual([]);
    for (const [, block] of blocksOf(procedures, 'json')) {
      const types = (JSON.parse(block) as { 'detail-type': string[] })['detail-type'];
      expect(types.filter((type) => !known.includes(type))).toEqual([]);
    }
  });
});

describe('commands in procedures.md and in the canary', () => {
  const helps: Readonly<Record<string, string>> = {
    release: releaseCommand.help,
    flags: flagsCommand.help,
    config: configCommand.help,
  };
  const commands = [...`${procedures}\n${readme}`.matchAll(/quarterdeck (release|flags|config) ([a-z-]+)([^`|\n]*)/g)].map(
    ([, name = '', verb = '', rest = '']) => ({ name, verb, options: rest.match(/--[a-z-]+/g) ?? [] }),
  );

  it('are there, with their options', () => {
    expect(commands.length).toBeGreaterThan(25);
    for (const { name, verb, options } of commands) {
      expect(helps[name]).toMatch(new RegExp(`\\b${verb}\\b`));
      for (const option of options) expect([name, verb, option, helps[name]?.includes(option)]).toEqual([name, verb, option, true]);
    }
  });

  it('are all of those that a release takes', () => {
    const told = new Set(commands.filter(({ name }) => name === 'release').map(({ verb }) => verb));
    const verbs = ['list', 'show', 'start', 'approve', 'reject', 'pause', 'resume', 'abort', 'promote', 'retry', 'wait'];
    expect(verbs.filter((verb) => !told.has(verb))).toEqual([]);
  });
});

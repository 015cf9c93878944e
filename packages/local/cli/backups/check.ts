import { parseArgs } from 'node:util';
import { type CheckResult, checkRepository, type DataSubset, parseSubset } from '#backups/check/check-repository.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import type { Command } from '#local/cli/command.ts';
import { createJobDisplay, formatCount } from './job-display.ts';
import { openNamedRepository } from './open-repository.ts';

/** `quarterdeck check --repo REPO`: whether a repository is sound. */
export const checkCommand: Command = {
  help: `Usage: quarterdeck check --repo REPO [--read-data | --read-data-subset n/t] [--json]

Looks at every object and reference of the repository, and names each that is not sound. Nothing is changed.
  --read-data             reads all data and verifies it
  --read-data-subset n/t  reads the n-th of t parts, so that 1/7 to 7/7 come round to all in a week
Ends with 0 when all is sound, 1 when something is not, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        repo: { type: 'string' },
        'read-data': { type: 'boolean', default: false },
        'read-data-subset': { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const { repo, 'read-data': all, 'read-data-subset': subset } = values;
    if (repo === undefined || positionals.length > 0 || (all && subset !== undefined)) {
      console.error('quarterdeck check takes --repo REPO, and one of --read-data and --read-data-subset n/t; --help tells more');
      return 2;
    }
    const data: DataSubset = all ? 'all' : subset === undefined ? 'none' : parseSubset(subset);
    const { repository } = await openNamedRepository(openLocalPlaces(), repo);
    const display = createJobDisplay(process.stderr, Date.now);
    const onProgress = ({ readPacks, ofPacks }: { readPacks: number; ofPacks: number }) =>
      display.show('', () => `${formatCount(readPacks)} of ${formatCount(ofPacks)} packs read`);
    try {
      const result = await checkRepository({ repository, data, onProgress });
      display.clear();
      console.log(values.json ? JSON.stringify(result, null, 2) : describe(result));
      return result.problems.length === 0 ? 0 : 1;
    } finally {
      display.clear();
    }
  },
};

function describe({ problems, notes, snapshots, chunks, packs, readPacks }: CheckResult): string {
  const looked = `${formatCount(snapshots)} snapshots, ${formatCount(chunks)} chunks, ${formatCount(packs)} packs, of which ${formatCount(readPacks)} were read`;
  return [
    ...problems.map(({ object, message }) => `damaged: ${object}: ${message}`),
    ...notes.map((note) => `note: ${note}`),
    problems.length === 0
      ? `no problems: ${looked}`
      : `${formatCount(problems.length)} problems: ${looked}; \`quarterdeck repair\` saves what can be`,
  ].join('\n');
}

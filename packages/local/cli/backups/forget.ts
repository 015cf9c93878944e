import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { parseSpan } from '#backups/forget/calendar.ts';
import { type ForgetDecision, isEmptyPolicy, planForget, type RetentionPolicy } from '#backups/forget/plan-forget.ts';
import { forgetSnapshots, runForget, seriesOf } from '#backups/forget/run-forget.ts';
import { readPrunePlan, runPrune } from '#backups/prune/run-prune.ts';
import { findSnapshot, listSnapshots, type Snapshot } from '#backups/repository/snapshots.ts';
import { OpsError } from '#core/errors.ts';
import { openLocalPlaces } from '#local/backup/places.ts';
import type { Command } from '#local/cli/command.ts';
import { snapshotJson } from './backup.ts';
import { formatBytes, formatCount } from './job-display.ts';
import { type OpenedRepository, openNamedRepository } from './open-repository.ts';

const counts = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'] as const;
const spans = ['within', 'within-hourly', 'within-daily', 'within-weekly', 'within-monthly', 'within-quarterly', 'within-yearly'] as const;

const countOptions = Object.fromEntries(counts.map((name) => [`keep-${name}`, { type: 'string' as const }]));
const spanOptions = Object.fromEntries(spans.map((name) => [`keep-${name}`, { type: 'string' as const }]));

/** `quarterdeck forget --repo REPO --keep-daily 7 ...`: lets old snapshots go. */
export const forgetCommand: Command = {
  help: `Usage: quarterdeck forget --repo REPO [--keep-last N] [--keep-hourly N] [--keep-daily N] [--keep-weekly N] [--keep-monthly N]
                          [--keep-quarterly N] [--keep-yearly N] [--keep-within SPAN] [--keep-within-hourly SPAN]...
                          [--keep-tag TAG,TAG]... [--prune] [--dry-run] [--json]
       quarterdeck forget SNAPSHOT... --repo REPO [--prune] [--dry-run] [--json]

Forgets the snapshots that no rule keeps, of each source and host by itself, or those that are named. N of -1 keeps all; a SPAN is 2y5m7d3h,
counted from the newest snapshot. What nothing needs any more goes with --prune, now or later: packs that a backup under way may use wait for it.
  --dry-run   says what would be forgotten and what kept, and why
Ends with 0 when done, 1 when it failed, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        repo: { type: 'string' },
        ...countOptions,
        ...spanOptions,
        'keep-tag': { type: 'string', multiple: true, default: [] },
        prune: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const given = values as Readonly<Record<string, unknown>>;
    const repo = typeof given.repo === 'string' ? given.repo : undefined;
    const policy = readPolicy(given);
    const isNamed = positionals.length > 0;
    if (repo === undefined || isNamed === !isEmptyPolicy(policy)) {
      if (repo === undefined || isNamed || given.prune !== true) {
        console.error(
          'quarterdeck forget takes --repo REPO, and either snapshots or --keep-... rules (or --prune alone); --help tells more',
        );
        return 2;
      }
    }
    const opened = await openNamedRepository(openLocalPlaces(), repo);
    const plan = isNamed ? await planNamed(opened, positionals) : isEmptyPolicy(policy) ? [] : await planByPolicy(opened, policy);
    const how = { isDry: given['dry-run'] === true, isPruning: given.prune === true, isJson: given.json === true, isNamed };
    return carryOut(opened, plan, how);
  },
};

function readPolicy(values: Readonly<Record<string, unknown>>): RetentionPolicy {
  const counted = counts.flatMap((name) => {
    const text = values[`keep-${name}`];
    if (text === undefined) return [];
    if (!/^(?:-1|\d{1,6})$/.test(String(text)))
      throw new OpsError('input', `--keep-${name} takes a number, or -1 for all; got ${JSON.stringify(text)}`);
    return [[name, Number(text)]];
  });
  const within = spans.flatMap((name) => {
    const text = values[`keep-${name}`];
    if (text === undefined) return [];
    parseSpan(String(text));
    return [[name.replace(/-(.)/, (_, letter: string) => letter.toUpperCase()), String(text)]];
  });
  const tags = (values['keep-tag'] as readonly string[]).map((list) => list.split(','));
  return { ...Object.fromEntries(counted), ...Object.fromEntries(within), tags };
}

type Decision = ForgetDecision<Snapshot>;

async function planNamed({ repository }: OpenedRepository, names: readonly string[]): Promise<Decision[]> {
  const named = await Promise.all(names.map((name) => findSnapshot(repository, name)));
  return named.map((snapshot) => ({ snapshot, keep: false, reasons: [], counters: {} }));
}

async function planByPolicy({ repository }: OpenedRepository, policy: RetentionPolicy): Promise<Decision[]> {
  const snapshots = await listSnapshots(repository, (error) => console.error(error.message));
  const series = Map.groupBy(snapshots, seriesOf);
  return [...series.values()].flatMap((each) => planForget(each, policy, Date.now()));
}

interface How {
  readonly isDry: boolean;
  readonly isPruning: boolean;
  readonly isJson: boolean;
  readonly isNamed: boolean;
}

async function carryOut(opened: OpenedRepository, plan: readonly Decision[], how: How): Promise<number> {
  const { repository, retention } = opened;
  const deps = { clock: Date.now, randomBytes };
  const forgotten = how.isDry ? plan.filter(({ keep }) => !keep).map(({ snapshot }) => snapshot) : await forget(opened, plan, how);
  const prunePlan = how.isPruning && how.isDry ? await readPrunePlan(deps, { repository, retention }) : undefined;
  const pruned = how.isPruning && !how.isDry ? await runPrune(deps, { repository, retention }) : undefined;
  if (how.isJson) {
    const decisions = plan.map(({ snapshot, ...rest }) => ({ ...rest, snapshot: snapshotJson(snapshot) }));
    console.log(JSON.stringify({ decisions, forgotten: forgotten.map(({ id }) => id), pruned, prunePlan }, null, 2));
    return 0;
  }
  for (const decision of plan) console.log(describe(decision, how.isDry));
  console.log(
    `${formatCount(forgotten.length)} snapshots ${how.isDry ? 'would be ' : ''}forgotten, ${formatCount(plan.length - forgotten.length)} kept`,
  );
  if (pruned) {
    const { deletedPacks, waiting } = pruned;
    console.log(
      `${formatCount(deletedPacks)} packs deleted${waiting.length > 0 ? `; others wait for ${waiting.length} sessions to end` : ''}`,
    );
  }
  if (prunePlan)
    console.log(`${formatCount(prunePlan.condemn.length)} packs would be deleted by what was forgotten before; more once this is`);
  return 0;
}

function forget({ repository }: OpenedRepository, plan: readonly Decision[], { isNamed }: How): Promise<Snapshot[]> {
  if (!isNamed) return runForget(repository, plan);
  return forgetSnapshots(
    repository,
    plan.map(({ snapshot }) => snapshot),
  );
}

function describe({ snapshot, keep, reasons }: Decision, isDry: boolean): string {
  const { id, at, source, counts: sizes } = snapshot;
  const verdict = keep ? 'keep  ' : isDry ? 'forget' : 'forgot';
  const why = keep ? reasons.join(', ') : 'no rule keeps it';
  return `${verdict} ${id.slice(0, 12)} ${at.slice(0, 19).replace('T', ' ')} ${source.name} ${formatBytes(sizes.bytes)}: ${why}`;
}

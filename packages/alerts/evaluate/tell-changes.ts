import { inboxWrite } from '#alerts/dispatch/inbox.ts';
import type { GroupResult } from '#alerts/rules/evaluate-group.ts';
import type { RuleGroup } from '#alerts/rules/rule.ts';
import { type AlertChange, toAlert } from '#alerts/rules/rule-result.ts';
import type { ActiveAlert, RuleState } from '#alerts/rules/rule-state.ts';
import type { Write } from '#ports/table.ts';
import type { EvaluateDeps } from './evaluate-deps.ts';
import { groupId, readPointers, type SourcedGroup } from './group-pointer.ts';
import { readStates } from './group-state.ts';

/** Whom an evaluation tells, and in which place: of one group by its time, and then its version. */
export interface Teller {
  readonly tenant: string;
  readonly group: RuleGroup | undefined;
  readonly atMs: number;
  readonly version: number;
}

export interface Told {
  /** What the rules remembered before. */
  readonly before: readonly RuleState[];
  readonly result: Pick<GroupResult, 'states' | 'changes' | 'difference'>;
  /** Everything is told again, whether it changed or not. */
  readonly isBack?: boolean | undefined;
  /** Labels (as JSON) of alerts that fire in another group too. */
  readonly elsewhere: ReadonlySet<string>;
}

/**
 * The write that tells what an evaluation has changed; none where that is nothing. Alerts of ours fire until they are told as resolved: their
 * state is kept, so nobody has to repeat them. One that several rules fire is over when the last of them is.
 */
export async function tellChanges(
  deps: EvaluateDeps,
  { tenant, group, atMs, version }: Teller,
  { before, result, isBack = false, elsewhere }: Told,
): Promise<Write[]> {
  const told = isBack ? listAll(group, result.states) : [...result.changes, ...findUpdates(group, before, result)];
  const stillFires = firingLabels(told.some(({ kind }) => kind === 'resolved') ? result.states : []);
  const alerts = told
    .filter(({ kind, alert: { labels } }) => {
      return kind === 'firing' || (kind === 'resolved' && !stillFires.has(labels.json) && !elsewhere.has(labels.json));
    })
    .map(({ alert, expr = '' }) => toAlert(alert, { untilMs: Number.POSITIVE_INFINITY, atMs, generatorUrl: deps.generatorUrl(expr) }));
  return alerts.length === 0 ? [] : [await inboxWrite(deps, tenant, alerts, atMs, version)];
}

function listAll(group: RuleGroup | undefined, states: readonly RuleState[]): AlertChange[] {
  return states.flatMap(({ alerts }, i) =>
    alerts.flatMap((alert): AlertChange[] => {
      if (alert.phase === 'pending') return [];
      return [{ kind: alert.phase === 'firing' ? 'firing' : 'resolved', alert, expr: group?.rules[i]?.expr }];
    }),
  );
}

/** Firing alerts whose annotations say something else than they did. */
function findUpdates(
  group: RuleGroup | undefined,
  before: readonly RuleState[],
  { states, changes, difference }: Told['result'],
): AlertChange[] {
  if (difference === 'none') return [];
  const told = new Set(changes.map(({ alert }) => alert.labels.json));
  const known = new Map(before.flatMap(({ alerts }) => alerts.map((alert) => [alert.labels.json, alert.annotations])));
  const isNews = ({ phase, labels, annotations }: ActiveAlert) =>
    phase === 'firing' && !told.has(labels.json) && JSON.stringify(known.get(labels.json)) !== JSON.stringify(annotations);
  return states.flatMap(({ alerts }, i) =>
    alerts.filter(isNews).map((alert): AlertChange => ({ kind: 'firing', alert, expr: group?.rules[i]?.expr })),
  );
}

function firingLabels(states: readonly RuleState[]): Set<string> {
  return new Set(states.flatMap(({ alerts }) => alerts.filter(({ phase }) => phase === 'firing').map(({ labels }) => labels.json)));
}

/** Labels of the alerts that are told as resolved and fire in another group: only those groups are looked at that have a rule of their name. */
export async function findFiringElsewhere(
  deps: Pick<EvaluateDeps, 'table' | 'blobs'>,
  tenant: string,
  groups: readonly SourcedGroup[],
  changes: readonly AlertChange[],
  ownId: string,
): Promise<ReadonlySet<string>> {
  const names = new Set(
    changes
      .filter(({ kind }) => kind === 'resolved')
      .flatMap(({ alert }) => alert.labels.labels.filter(({ name }) => name === 'alertname').map(({ value }) => value)),
  );
  const others = groups
    .filter(({ group }) => group.rules.some(({ kind, name }) => kind !== 'record' && names.has(name)))
    .map(({ namespace, group }) => groupId(namespace, group.name))
    .filter((id) => id !== ownId);
  if (others.length === 0) return new Set();
  const pointers = await readPointers(deps.table, tenant);
  const states = await Promise.all(others.map((id) => readStates(deps, pointers.get(id))));
  return firingLabels(states.flat());
}

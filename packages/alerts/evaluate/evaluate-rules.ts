import { type InboxDeps, inboxWrite } from '#alerts/dispatch/inbox.ts';
import { dropPacked, packBytes, unpackBytes } from '#alerts/packed-bytes.ts';
import { evaluateGroup, type GroupResult, retireRules } from '#alerts/rules/evaluate-group.ts';
import type { RenderTemplate } from '#alerts/rules/expand-alert.ts';
import { planEvaluations } from '#alerts/rules/plan-evaluations.ts';
import type { RuleGroup } from '#alerts/rules/rule.ts';
import { type AlertChange, type RuleSample, toAlert } from '#alerts/rules/rule-result.ts';
import type { ActiveAlert, RuleState } from '#alerts/rules/rule-state.ts';
import { decodeRuleState, encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { type Clock, MINUTE_MS } from '#core/time.ts';
import type { Alert } from '#model/alert.ts';
import type { Blobs } from '#ports/blobs.ts';
import { withLease } from '#ports/lease.ts';
import type { Query } from '#ports/query.ts';
import type { Table, Write } from '#ports/table.ts';
import { commitPointer, deletePointer, type GroupPointer, groupId, readPointers, type SourcedGroup } from './group-pointer.ts';

/** The query engine over a tenant's samples as they are now, and over what the evaluation itself gives. */
export interface EvaluationView {
  readonly query: Query;
  readonly append: (samples: readonly RuleSample[], tMs: number) => void;
  readonly render: RenderTemplate;
}

export interface EvaluateDeps extends InboxDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly groups: (tenant: string) => Promise<readonly SourcedGroup[]>;
  readonly openView: (tenant: string) => EvaluationView;
  /** Through ingest; durable when it resolves, and the same samples again are the same samples. */
  readonly write: (tenant: string, samples: readonly RuleSample[], atMs: number) => Promise<void>;
  /** Where the expression of a rule is shown. */
  readonly generatorUrl: (expr: string) => string;
  /** How long the call may still take, where that is bounded. */
  readonly remainingMs?: (() => number) | undefined;
}

/** One evaluation of one group. */
export interface EvaluationReport {
  readonly tenant: string;
  readonly namespace: string;
  readonly group: string;
  readonly at: string;
  readonly samples: number;
  readonly changes: number;
  readonly errors: readonly string[];
  /** Somebody else evaluated it first. */
  readonly conflict?: boolean | undefined;
}

export interface EvaluateResult {
  readonly evaluations: readonly EvaluationReport[];
  /** Evaluations that were left out because too many were due. */
  readonly skipped: number;
}

/** Of groups that name no interval. */
export const DEFAULT_INTERVAL_MS = MINUTE_MS;
const LEASE_MS = 5 * MINUTE_MS;
/** Most evaluations of a group that are caught up with in one call. */
const MAX_CATCH_UP = 10;
/** Time to commit what was evaluated before the call has to end. */
const RESERVE_MS = 20_000;

/**
 * Evaluates every rule group of the tenants whose time has come, each at its aligned times. Samples are written first; then one
 * transaction moves the group's pointer on and tells of changed alerts, so that a crash between repeats the evaluation and changes
 * nothing twice. A lease saves two processes the double work; where both evaluate all the same, the second commit does nothing.
 */
export async function evaluateRules(deps: EvaluateDeps, tenants: readonly string[]): Promise<EvaluateResult> {
  const evaluations: EvaluationReport[] = [];
  let skipped = 0;
  await forEachSettled(tenants, async (tenant) => {
    const groups = await deps.groups(tenant);
    const known = await readPointers(deps.table, tenant);
    if (!isAnythingDue(deps, groups, known)) return;
    await withLease(deps, `alerts-evaluate/${tenant}`, LEASE_MS, async () => {
      const pointers = await readPointers(deps.table, tenant);
      const view = deps.openView(tenant);
      await forEachSettled(groups, async (sourced) => {
        const id = groupId(sourced.namespace, sourced.group.name);
        const done = await evaluateDue({ ...deps, view }, tenant, sourced, pointers.get(id));
        evaluations.push(...done.evaluations);
        skipped += done.skipped;
        pointers.delete(id);
      });
      await forEachSettled([...pointers.values()], (gone) => retireGroup(deps, tenant, gone));
    });
  });
  return { evaluations, skipped };
}

/** Looked at before the lease, whose taking and giving back would be two writes each time. */
function isAnythingDue(deps: EvaluateDeps, groups: readonly SourcedGroup[], pointers: ReadonlyMap<string, GroupPointer>): boolean {
  const ids = new Set(groups.map(({ namespace, group }) => groupId(namespace, group.name)));
  if ([...pointers.keys()].some((id) => !ids.has(id))) return true;
  return groups.some((sourced) => {
    const pointer = pointers.get(groupId(sourced.namespace, sourced.group.name));
    return planOf(deps, sourced.group, pointer).timesMs.length > 0;
  });
}

function planOf(deps: EvaluateDeps, group: RuleGroup, pointer: GroupPointer | undefined) {
  const intervalMs = group.intervalMs ?? DEFAULT_INTERVAL_MS;
  return planEvaluations({ intervalMs, lastMs: pointer?.evaluatedAtMs, nowMs: deps.now(), maxCatchUp: MAX_CATCH_UP });
}

type ViewDeps = EvaluateDeps & { readonly view: EvaluationView };

async function evaluateDue(
  deps: ViewDeps,
  tenant: string,
  sourced: SourcedGroup,
  found: GroupPointer | undefined,
): Promise<EvaluateResult> {
  const { namespace, group } = sourced;
  const plan = planOf(deps, group, found);
  const evaluations: EvaluationReport[] = [];
  let before = found;
  let states = await readStates(deps, found);
  for (const atMs of plan.timesMs) {
    if ((deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) < RESERVE_MS) break;
    const startedMs = deps.now();
    const result = await evaluateGroup(deps.view, { tenant, group, states, atMs });
    await deps.write(tenant, result.samples, result.samplesAtMs);
    const after = await commitEvaluation(deps, tenant, { sourced, before, states, result, atMs, durationMs: deps.now() - startedMs });
    const errors = result.errors.map(({ message }) => message);
    const { length: changes } = result.changes;
    const report = {
      tenant,
      namespace,
      group: group.name,
      at: new Date(atMs).toISOString(),
      samples: result.samples.length,
      changes,
      errors,
    };
    evaluations.push(after ? report : { ...report, conflict: true });
    if (!after) break;
    before = after;
    states = result.states;
  }
  return { evaluations, skipped: plan.skipped };
}

async function readStates(deps: EvaluateDeps, pointer: GroupPointer | undefined): Promise<readonly RuleState[]> {
  const bytes = pointer && (await unpackBytes(deps, pointer.state));
  return bytes ? decodeRuleState(bytes) : [];
}

interface Evaluated {
  readonly sourced: SourcedGroup;
  readonly before: GroupPointer | undefined;
  readonly states: readonly RuleState[];
  readonly result: GroupResult;
  readonly atMs: number;
  readonly durationMs: number;
}

/** The pointer as it is now, or undefined where somebody else was first. A state that has not changed is not written again. */
async function commitEvaluation(deps: EvaluateDeps, tenant: string, evaluated: Evaluated): Promise<GroupPointer | undefined> {
  const { sourced, before, states, result, atMs, durationMs } = evaluated;
  const { namespace, group } = sourced;
  const isSame = before !== undefined && result.difference === 'none' && result.states.length === states.length;
  const state = isSame ? before.state : await packBytes(deps, `alerts/${tenant}/state`, encodeRuleState(result.states));
  const told = [...result.changes, ...findUpdates(group, states, result)];
  const alongside = await tellOf(deps, tenant, told, atMs);
  const id = groupId(namespace, group.name);
  const error = result.errors[0]?.message ?? '';
  const after = { id, namespace, name: group.name, evaluatedAtMs: atMs, durationMs, error, state };
  if (!(await commitPointer(deps.table, tenant, before, after, deps.newId(), alongside))) return undefined;
  await dropPacked(deps, before?.state, state);
  return { ...after, version: (before?.version ?? 0) + 1 };
}

/** Firing alerts whose annotations say something else than they did. */
function findUpdates({ rules }: RuleGroup, before: readonly RuleState[], { states, changes, difference }: GroupResult): AlertChange[] {
  if (difference === 'none') return [];
  const told = new Set(changes.map(({ alert }) => alert.labels.json));
  const known = new Map(before.flatMap(({ alerts }) => alerts.map((alert) => [alert.labels.json, alert.annotations])));
  const isNews = ({ phase, labels, annotations }: ActiveAlert) =>
    phase === 'firing' && !told.has(labels.json) && JSON.stringify(known.get(labels.json)) !== JSON.stringify(annotations);
  return states.flatMap(({ alerts }, i) => alerts.filter(isNews).map((alert) => ({ kind: 'firing', alert, expr: rules[i]?.expr })));
}

/** Alerts of ours fire until they are told as resolved: their state is kept, so nobody has to repeat them. */
async function tellOf(deps: EvaluateDeps, tenant: string, changes: readonly AlertChange[], atMs: number): Promise<Write[]> {
  const alerts = changes
    .filter(({ kind }) => kind === 'firing' || kind === 'resolved')
    .map(({ alert, expr = '' }): Alert => {
      return toAlert(alert, { untilMs: Number.POSITIVE_INFINITY, atMs, generatorUrl: deps.generatorUrl(expr) });
    });
  return alerts.length === 0 ? [] : [await inboxWrite(deps, tenant, alerts, atMs)];
}

/** A group that is in no file any more: its series go stale and its alerts are over. */
async function retireGroup(deps: EvaluateDeps, tenant: string, pointer: GroupPointer): Promise<void> {
  const atMs = deps.now();
  const { samples, changes } = retireRules(await readStates(deps, pointer), [], atMs);
  await deps.write(tenant, samples, atMs);
  const alongside = await tellOf(deps, tenant, changes, atMs);
  if (await deletePointer(deps.table, tenant, pointer, alongside)) await dropPacked(deps, pointer.state);
}

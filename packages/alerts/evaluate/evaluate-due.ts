import { dropPacked, packBytes } from '#alerts/packed-bytes.ts';
import { evaluateGroup, type GroupResult } from '#alerts/rules/evaluate-group.ts';
import { type EvaluationPlan, planEvaluations } from '#alerts/rules/plan-evaluations.ts';
import type { RuleGroup } from '#alerts/rules/rule.ts';
import type { RuleState } from '#alerts/rules/rule-state.ts';
import { encodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { isOpsError, type OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import { isAhead, turnBack } from './clock-back.ts';
import type { EvaluateDeps, EvaluationReport, EvaluationView } from './evaluate-deps.ts';
import { commitPointer, type GroupPointer, groupId, type SourcedGroup } from './group-pointer.ts';
import { readStates } from './group-state.ts';
import { restoreLost } from './restore-lost.ts';
import { findFiringElsewhere, tellChanges } from './tell-changes.ts';

/** Of groups that name no interval. */
export const DEFAULT_INTERVAL_MS = MINUTE_MS;
/** Most evaluations of a group that are caught up with in one call. */
const MAX_CATCH_UP = 10;
/** How long an evaluation is put off because samples cannot be read; then its rules have failed at that time. */
const PATIENCE_MS = 2 * MINUTE_MS;
const MAX_ERROR_CHARS = 1_000;

/** Times at which a group is to be evaluated now: of one that a clock has evaluated which has gone back since, the latest. */
export function planGroup(group: RuleGroup, pointer: GroupPointer | undefined, nowMs: number): EvaluationPlan {
  const intervalMs = group.intervalMs ?? DEFAULT_INTERVAL_MS;
  const lastMs = pointer && isAhead(pointer.evaluatedAtMs, nowMs) ? undefined : pointer?.evaluatedAtMs;
  return planEvaluations({ intervalMs, lastMs, nowMs, maxCatchUp: MAX_CATCH_UP });
}

export interface EvaluateDueDeps extends EvaluateDeps {
  readonly view: EvaluationView;
  readonly hasTime: () => boolean;
  /** Told of each evaluation. */
  readonly note: (report: EvaluationReport) => void;
}

export interface DueGroup {
  readonly tenant: string;
  readonly sourced: SourcedGroup;
  /** All groups of the tenant, this one among them. */
  readonly siblings: readonly SourcedGroup[];
}

/** What a group's evaluation begins from. */
interface Standing {
  readonly pointer: GroupPointer | undefined;
  readonly states: readonly RuleState[];
  /** A clock went back, so that whoever was told of its alerts was told of times to come: all of them are told again. */
  readonly isBack: boolean;
}

/** Evaluates a group at each time that is due, and returns how many were left out. Stops where somebody else was first. */
export async function evaluateDue(deps: EvaluateDueDeps, due: DueGroup, found: GroupPointer | undefined): Promise<number> {
  const plan = planGroup(due.sourced.group, found, deps.now());
  if (plan.timesMs.length === 0) return 0;
  let standing = await openStanding(deps, found);
  for (const atMs of plan.timesMs) {
    if (!deps.hasTime()) break;
    const next = await evaluateOnce(deps, due, standing, atMs);
    if (!next) break;
    standing = next;
  }
  return plan.skipped;
}

async function openStanding(deps: EvaluateDueDeps, pointer: GroupPointer | undefined): Promise<Standing> {
  const states = await readStates(deps, pointer);
  const isBack = pointer !== undefined && isAhead(pointer.evaluatedAtMs, deps.now());
  return { pointer, states: isBack ? turnBack(states, deps.now()) : states, isBack };
}

async function evaluateOnce(deps: EvaluateDueDeps, due: DueGroup, before: Standing, atMs: number): Promise<Standing | undefined> {
  const { tenant, sourced } = due;
  const { namespace, group } = sourced;
  const startedMs = deps.now();
  const evaluated = await evaluateGroup(deps.view, { tenant, group, states: before.states, atMs });
  const outage = evaluated.errors.find(isOutage);
  if (outage && deps.now() - atMs < PATIENCE_MS) throw outage;
  const result = before.pointer ? evaluated : await restoreLost(deps.view, { tenant, group, result: evaluated, atMs });
  await deps.write(tenant, result.samples, result.samplesAtMs);
  const pointer = await commitEvaluation(deps, due, before, result, { atMs, durationMs: deps.now() - startedMs });
  const errors = result.errors.map(({ message }) => message.slice(0, MAX_ERROR_CHARS));
  const counts = { samples: result.samples.length, changes: result.changes.length };
  const conflict = pointer ? {} : { conflict: true };
  deps.note({ tenant, namespace, group: group.name, at: new Date(atMs).toISOString(), ...counts, errors, ...conflict });
  return pointer && { pointer, states: result.states, isBack: false };
}

/** True where a store failed, and not the expression: what takes too long by itself will do so again. */
function isOutage(error: OpsError): boolean {
  const { cause } = error;
  const isOfQuery = typeof cause === 'object' && cause !== null && 'queryErrorType' in cause;
  return isOpsError(error, 'unavailable') && !isOfQuery;
}

/** The pointer as it is now, or undefined where somebody else was first. A state that has not changed is not written again. */
async function commitEvaluation(
  deps: EvaluateDueDeps,
  { tenant, sourced, siblings }: DueGroup,
  { pointer: before, states, isBack }: Standing,
  result: GroupResult,
  times: { readonly atMs: number; readonly durationMs: number },
): Promise<GroupPointer | undefined> {
  const { namespace, group } = sourced;
  const { atMs, durationMs } = times;
  const isSame = before !== undefined && !isBack && result.difference === 'none' && result.states.length === states.length;
  const state = isSame ? before.state : await packBytes(deps, `alerts/${tenant}/state`, encodeRuleState(result.states));
  const id = groupId(namespace, group.name);
  const version = (before?.version ?? 0) + 1;
  // A group that is new may take over from one that has ended by the clock, after the aligned time.
  const tellAtMs = Math.max(atMs, before ? before.toldAtMs : deps.now());
  const elsewhere = await findFiringElsewhere(deps, tenant, siblings, result.changes, id);
  const told = { before: states, result, isBack, elsewhere };
  const alongside = await tellChanges(deps, { tenant, group, atMs: tellAtMs, version }, told);
  const error = (result.errors[0]?.message ?? '').slice(0, MAX_ERROR_CHARS).toWellFormed();
  const toldAtMs = alongside.length > 0 || !before ? tellAtMs : before.toldAtMs;
  const after = { id, namespace, name: group.name, evaluatedAtMs: atMs, toldAtMs, durationMs, error, state };
  if (!(await commitPointer(deps.table, tenant, before, after, deps.newId(), alongside))) return undefined;
  await dropPacked(deps, before?.state, state);
  return { ...after, version };
}

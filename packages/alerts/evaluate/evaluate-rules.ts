import { forEachSettled } from '#core/for-each-settled.ts';
import { withLease } from '#ports/lease.ts';
import type { EvaluateDeps, EvaluateResult, EvaluationReport } from './evaluate-deps.ts';
import { evaluateDue, planGroup } from './evaluate-due.ts';
import { type GroupPointer, groupId, readPointers, type SourcedGroup } from './group-pointer.ts';
import { retireGroup } from './retire-group.ts';

/** A process that died holds up its successor no longer than this; one that takes longer may do work twice. */
const LEASE_MS = 90_000;
/** Time to commit what was evaluated before the call has to end. */
const RESERVE_MS = 20_000;

/**
 * Evaluates every rule group of the tenants whose time has come, each at its aligned times. Samples are written first; then one
 * transaction moves the group's pointer on and tells of changed alerts, so that a crash between repeats the evaluation and changes
 * nothing twice. A lease saves two processes the double work; where both evaluate all the same, the second commit does nothing.
 * A group or a tenant that fails stops no other.
 */
export async function evaluateRules(deps: EvaluateDeps, tenants: readonly string[]): Promise<EvaluateResult> {
  const evaluations: EvaluationReport[] = [];
  let skipped = 0;
  await forEachSettled(tenants, async (tenant) => {
    const groups = await deps.groups(tenant);
    if (!isAnythingDue(deps, groups, await readPointers(deps.table, tenant))) return;
    await withLease(deps, `alerts-evaluate/${tenant}`, LEASE_MS, async () => {
      const done = await evaluateTenant(deps, tenant, groups);
      evaluations.push(...done.evaluations);
      skipped += done.skipped;
      await done.settled;
    });
  });
  return { evaluations, skipped };
}

/** Looked at before the lease, whose taking and giving back would be two writes each time. */
function isAnythingDue(deps: EvaluateDeps, groups: readonly SourcedGroup[], pointers: ReadonlyMap<string, GroupPointer>): boolean {
  if (findGone(groups, pointers).length > 0) return true;
  return groups.some(({ namespace, group }) => {
    return planGroup(group, pointers.get(groupId(namespace, group.name)), deps.now()).timesMs.length > 0;
  });
}

/** Groups that are in no file any more. */
function findGone(groups: readonly SourcedGroup[], pointers: ReadonlyMap<string, GroupPointer>): GroupPointer[] {
  const ids = new Set(groups.map(({ namespace, group }) => groupId(namespace, group.name)));
  return [...pointers.values()].filter(({ id }) => !ids.has(id));
}

/** What was done, and in `settled` what failed of it. */
async function evaluateTenant(
  deps: EvaluateDeps,
  tenant: string,
  groups: readonly SourcedGroup[],
): Promise<EvaluateResult & { readonly settled: Promise<void> }> {
  const pointers = await readPointers(deps.table, tenant);
  const view = deps.openView(tenant);
  const hasTime = () => (deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) >= RESERVE_MS;
  const evaluations: EvaluationReport[] = [];
  let skipped = 0;
  const jobs = [
    ...groups.map((sourced) => async () => {
      const pointer = pointers.get(groupId(sourced.namespace, sourced.group.name));
      const evaluating = { ...deps, view, hasTime, note: (report: EvaluationReport) => evaluations.push(report) };
      skipped += await evaluateDue(evaluating, { tenant, sourced, siblings: groups }, pointer);
    }),
    // After all others: what they have taken over from those that are gone does not end.
    ...findGone(groups, pointers).map((gone) => () => retireGroup(deps, tenant, gone, groups)),
  ];
  const settled = forEachSettled(jobs, async (job) => {
    if (hasTime()) await job();
  });
  await settled.catch(() => undefined);
  return { evaluations, skipped, settled };
}

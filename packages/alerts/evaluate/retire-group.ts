import { dropPacked } from '#alerts/packed-bytes.ts';
import { retireRules } from '#alerts/rules/evaluate-group.ts';
import { labelsJson, type Series } from '#model/series.ts';
import type { EvaluateDeps } from './evaluate-deps.ts';
import { deletePointer, type GroupPointer, type SourcedGroup } from './group-pointer.ts';
import { readStates } from './group-state.ts';
import { findFiringElsewhere, tellChanges } from './tell-changes.ts';

/** Ends a group that is in no file any more: its series go stale, and its alerts are over unless one of the other groups has them now. */
export async function retireGroup(
  deps: EvaluateDeps,
  tenant: string,
  pointer: GroupPointer,
  others: readonly SourcedGroup[],
): Promise<void> {
  const atMs = Math.max(deps.now(), pointer.toldAtMs);
  const before = await readStates(deps, pointer);
  const { samples, changes } = retireRules(before, [], deps.now());
  const elsewhere = await findFiringElsewhere(deps, tenant, others, changes, pointer.id);
  await deps.write(
    tenant,
    samples.filter(({ series }) => !elsewhere.has(alertOf(series))),
    deps.now(),
  );
  const result = { states: [], changes, difference: 'alerts' as const };
  const alongside = await tellChanges(
    deps,
    { tenant, group: undefined, atMs, version: pointer.version + 1 },
    { before, result, elsewhere },
  );
  if (await deletePointer(deps.table, tenant, pointer, alongside)) await dropPacked(deps, pointer.state);
}

/** The labels (as JSON) of the alert that a series is of. */
function alertOf({ labels }: Series): string {
  return labelsJson(labels.filter(({ name }) => name !== 'alertstate'));
}

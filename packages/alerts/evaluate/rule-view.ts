import { unpackBytes } from '#alerts/packed-bytes.ts';
import { statesByKey } from '#alerts/rules/evaluate-group.ts';
import type { Rule } from '#alerts/rules/rule.ts';
import { type RuleState, ruleKey } from '#alerts/rules/rule-state.ts';
import { decodeRuleState } from '#alerts/rules/rule-state-codec.ts';
import { mapConcurrent } from '#core/batch.ts';
import { isOpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import { type GroupPointer, groupId, readPointers, type SourcedGroup } from './group-pointer.ts';

export interface RuleViewDeps {
  readonly table: Table;
  readonly blobs: Blobs;
}

/** A rule group as it is configured, and how its last evaluation left it. */
export interface GroupView extends SourcedGroup {
  /** Undefined before its first evaluation. */
  readonly pointer: GroupPointer | undefined;
  /** In the group's order; without a state where it was never evaluated. */
  readonly rules: readonly RuleView[];
}

export interface RuleView {
  readonly rule: Rule;
  readonly state: RuleState | undefined;
}

const ATTEMPTS = 4;
const AT_ONCE = 8;

/** How a tenant's rule groups stand, by namespace and name. */
export async function viewRules(deps: RuleViewDeps, tenant: string, groups: readonly SourcedGroup[]): Promise<GroupView[]> {
  const sorted = [...groups].sort((a, b) => compareUtf8(a.namespace, b.namespace) || compareUtf8(a.group.name, b.group.name));
  for (let attempt = 1; ; attempt++) {
    try {
      const pointers = await readPointers(deps.table, tenant);
      return await mapConcurrent(sorted, AT_ONCE, async (sourced) => {
        const pointer = pointers.get(groupId(sourced.namespace, sourced.group.name));
        const bytes = pointer && (await unpackBytes(deps, pointer.state));
        return { ...sourced, pointer, rules: joinStates(sourced.group.rules, bytes ? decodeRuleState(bytes) : []) };
      });
    } catch (error) {
      if (attempt === ATTEMPTS || !isOpsError(error, 'unavailable')) throw error; // replaced while it was read
    }
  }
}

/** As the evaluation joins them: rules of one key in order. */
function joinStates(rules: readonly Rule[], states: readonly RuleState[]): RuleView[] {
  const known = statesByKey(states);
  return rules.map((rule) => ({ rule, state: known.get(ruleKey(rule))?.shift() }));
}

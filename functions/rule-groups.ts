import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import { createRulerGroups, mergeRuleGroups, type ReadRulerGroups, type RuleGroups } from '#alerts/ruler/ruler-groups.ts';
import { RULE_CHECKS } from '#api/alerts/rule-checks.ts';
import { OpsError } from '#core/errors.ts';
import type { Table } from '#ports/table.ts';
import { compileRules } from './alert-rules.ts';
import type { FunctionDeps } from './deps.ts';

const rulers = new WeakMap<Table, ReadRulerGroups>();

type RuleDeps = Pick<FunctionDeps, 'table' | 'config'>;

/** Everything that is evaluated for a tenant: of the configuration folder, and written by API. `input` where a file is wrong. */
export async function ruleGroups(deps: RuleDeps, tenant: string): Promise<RuleGroups> {
  const read = rulers.get(deps.table) ?? createRulerGroups(deps.table, RULE_CHECKS);
  rulers.set(deps.table, read);
  return mergeRuleGroups(await fileGroups(deps, tenant), await read(tenant));
}

/** What files have. A file that is wrong stops all: without its groups, their alerts would count as over. */
export async function fileGroups({ config }: Pick<RuleDeps, 'config'>, tenant: string): Promise<readonly SourcedGroup[]> {
  const { groups, problems } = await compileRules(config);
  if (problems.length > 0) throw new OpsError('input', problems.join('\n'));
  return groups.get(tenant) ?? [];
}

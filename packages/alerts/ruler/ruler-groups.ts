import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import type { RuleFileOptions } from '#alerts/rules/check-rule.ts';
import { formatRuleFileError, readRuleGroup } from '#alerts/rules/rule-file.ts';
import { createCache } from '#core/bounded-cache.ts';
import type { Table } from '#ports/table.ts';
import { listStoredGroups, readRulerVersion } from './stored-group.ts';

/** What is evaluated of a tenant, and what is not, with the reason. */
export interface RuleGroups {
  readonly groups: readonly SourcedGroup[];
  readonly problems: readonly string[];
}

/** Reads the groups that a tenant wrote by API; again only when one of them has changed. */
export type ReadRulerGroups = (tenant: string) => Promise<RuleGroups>;

const MAX_TENANTS = 1_000;

/** A reader that remembers what it read. A group that does not read (any more) is a problem, and stops no other. */
export function createRulerGroups(table: Table, options: RuleFileOptions): ReadRulerGroups {
  const known = createCache<{ readonly version: number; readonly read: RuleGroups }>({ maxEntries: MAX_TENANTS });
  return async (tenant) => {
    const version = await readRulerVersion(table, tenant);
    const found = known.get(tenant);
    if (found?.version === version) return found.read;
    const read = version === 0 ? { groups: [], problems: [] } : await readAll(table, tenant, options);
    known.set(tenant, { version, read });
    return read;
  };
}

async function readAll(table: Table, tenant: string, options: RuleFileOptions): Promise<RuleGroups> {
  const groups: SourcedGroup[] = [];
  const problems: string[] = [];
  for (const { namespace, text } of await listStoredGroups(table, tenant)) {
    const read = readRuleGroup(text, options);
    groups.push(...read.groups.map((group) => ({ namespace, group })));
    problems.push(...read.errors.map((error) => `${namespace} (written by API): ${formatRuleFileError(error)}`));
  }
  return { groups, problems };
}

/** Groups of files and of the API as one. Of a name that both have the file's holds, and the problem names both. */
export function mergeRuleGroups(files: readonly SourcedGroup[], ruler: RuleGroups): RuleGroups {
  const taken = new Set(files.map(placeOf));
  const clashes = ruler.groups.filter((sourced) => taken.has(placeOf(sourced)));
  return {
    groups: [...files, ...ruler.groups.filter((sourced) => !taken.has(placeOf(sourced)))],
    problems: [...ruler.problems, ...clashes.map(describeClash)],
  };
}

function placeOf({ namespace, group }: SourcedGroup): string {
  return JSON.stringify([namespace, group.name]);
}

/** Says of a group that it is in a file and was written by API. */
export function describeClash({ namespace, group }: SourcedGroup): string {
  const name = JSON.stringify(group.name);
  return `group ${name} is both in the file ${namespace} of the configuration and in the namespace ${namespace} written by API: the file's holds; delete or rename one of them`;
}

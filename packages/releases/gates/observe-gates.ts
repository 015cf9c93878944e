import { isOpsError } from '#core/errors.ts';
import type { Table } from '#ports/table.ts';
import type { Gate } from '#releases/application/gate.ts';
import { type Check, readChecks } from '#releases/release/checks.ts';
import type { Release } from '#releases/release/release.ts';
import { wasPromoted } from '#releases/release/versions.ts';
import type { GatePorts } from './gate-ports.ts';
import type { GateFact, GateFacts } from './judge-gate.ts';

export interface ObserveDeps {
  readonly table: Table;
  readonly gates: GatePorts;
}

/** Asks what others know of these gates. One that cannot be asked is shut, and says why. */
export async function observeGates(deps: ObserveDeps, release: Release, gates: readonly Gate[]): Promise<GateFacts> {
  const facts: Record<string, GateFact> = {};
  for (const gate of gates) {
    try {
      const fact = await observe(deps, release, gate);
      if (fact) facts[gate.key] = fact;
    } catch (error) {
      if (!isOpsError(error)) throw error;
      facts[gate.key] = { state: 'shut', sentence: `cannot be asked: ${error.message}` };
    }
  }
  return facts;
}

async function observe({ table, gates: ports }: ObserveDeps, release: Release, gate: Gate): Promise<GateFact | undefined> {
  const { tenant, application, commit, version } = release;
  switch (gate.kind) {
    case 'checks':
      return judgeChecks(gate.checks, commit, commit === '' ? [] : await readChecks(table, { tenant, application, commit }));
    case 'promoted': {
      const isThere = (environment: string) => wasPromoted(table, { tenant, application, environment, version });
      const known = await Promise.all(gate.environments.map(async (environment) => [environment, await isThere(environment)] as const));
      return judgePromoted(version, known);
    }
    case 'alerts':
      return judgeAlerts(await ports.firingAlerts(tenant, gate.labels));
    case 'sloBudget':
      return judgeBudget(gate, await ports.sloBudget(tenant, gate.slo));
    default:
      return undefined;
  }
}

/** A name stands for the check that is called so, or for all of that kind. */
export function judgeChecks(names: readonly string[], commit: string, checks: readonly Check[]): GateFact {
  if (commit === '') return { state: 'shut', sentence: 'the version has no commit that checks could be of' };
  const found = names.map((name) => ({ name, checks: checks.filter((check) => check.name === name || check.kind === name) }));
  const failed = found.flatMap((each) => each.checks).filter(({ state }) => state === 'failure');
  if (failed.length > 0) return { state: 'failed', sentence: `failed: ${failed.map(({ name }) => name).join(', ')}` };
  const open = found.filter((each) => each.checks.length === 0 || each.checks.some(({ state }) => state !== 'success'));
  const short = commit.slice(0, 12);
  if (open.length === 0) return { state: 'open', sentence: `all have succeeded for ${short}` };
  const words = open.map((each) => `${each.name} ${each.checks.length === 0 ? 'has not been posted' : 'is pending'}`);
  return { state: 'shut', sentence: `of ${short}: ${words.join(', ')}` };
}

function judgePromoted(version: string, known: readonly (readonly [string, boolean])[]): GateFact {
  const missing = known.filter(([, is]) => !is).map(([environment]) => environment);
  if (missing.length === 0) return { state: 'open', sentence: `${version} was promoted in ${known.map(([name]) => name).join(', ')}` };
  return { state: 'shut', sentence: `${version} has not been promoted in ${missing.join(', ')}` };
}

function judgeAlerts(firing: readonly { readonly name: string }[]): GateFact {
  if (firing.length === 0) return { state: 'open', sentence: 'none fires' };
  const names = [...new Set(firing.map(({ name }) => name))];
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return { state: 'failed', sentence: `firing: ${names.slice(0, 5).join(', ')}${more}` };
}

function judgeBudget({ atLeast }: { readonly atLeast: number }, left: number | undefined): GateFact {
  if (left === undefined || Number.isNaN(left)) return { state: 'shut', sentence: 'how much is left is not known' };
  const percent = Math.round(left * 1_000) / 10;
  const sentence = `${percent} % is left, and ${atLeast} % has to be`;
  return percent >= atLeast ? { state: 'open', sentence } : { state: 'failed', sentence };
}

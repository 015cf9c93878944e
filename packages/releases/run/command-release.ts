import { OpsError } from '#core/errors.ts';
import type { Command } from '#releases/plan/command.ts';
import type { Release } from '#releases/release/release.ts';
import { readRelease } from '#releases/release/release-store.ts';
import { applyEvent } from './commit-plan.ts';
import type { StartDeps } from './run-deps.ts';
import { startRelease } from './start-release.ts';

/**
 * Tells a release what a person wants of it; what is to be done about it is done by the next look. To try one again that was rolled back
 * or cancelled is to start another of the same version, once. `missing`, and `conflict` or `denied` where it cannot be obeyed.
 */
export async function commandRelease(
  deps: StartDeps,
  tenant: string,
  id: string,
  command: Omit<Command, 'kind' | 'canReturn'>,
): Promise<Release> {
  const { release } = await readRelease(deps.table, tenant, id);
  const isOver = release.phase === 'rolled-back' || release.phase === 'cancelled';
  if (command.command === 'retry' && isOver) return startAgain(deps, release, command.actor);
  const planned = await applyEvent(deps, tenant, id, (_, { active, promoted }) => ({
    ...command,
    kind: 'command',
    canReturn: active === undefined && promoted?.id === id,
  }));
  return planned.release;
}

async function startAgain(deps: StartDeps, release: Release, actor: string): Promise<Release> {
  const { tenant, application, environment, version, commit, ref, artifactDigest, sbomUrl, id, replies } = release;
  const plan = (await findEnvironment(deps, tenant, application, environment)).plan;
  const request = { tenant, application, environment, version, commit, ref, artifactDigest, sbomUrl, actor, reply: replies[0] };
  const started = await startRelease(deps, { ...request, delivery: `retry:${id}` }, plan);
  return (await readRelease(deps.table, tenant, started.id)).release;
}

/** An environment as the configuration has it; `missing` where it has none. */
export async function findEnvironment(deps: Pick<StartDeps, 'applications'>, tenant: string, name: string, environment: string) {
  const applications = await deps.applications(tenant);
  const application = applications.find((each) => each.name === name);
  const list = (names: readonly string[]) => `There are: ${names.slice(0, 20).join(', ') || 'none'}.`;
  if (!application)
    throw new OpsError('missing', `there is no application ${JSON.stringify(name.slice(0, 100))}`, {
      hint: list(applications.map((each) => each.name)),
    });
  const found = application.environments.find((each) => each.name === environment);
  if (found) return found;
  throw new OpsError('missing', `${name} has no environment ${JSON.stringify(environment.slice(0, 100))}`, {
    hint: list(application.environments.map((each) => each.name)),
  });
}

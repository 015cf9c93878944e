import { isOpsError } from '#core/errors.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import type { Release } from '#releases/release/release.ts';
import { wasPromoted } from '#releases/release/versions.ts';
import { refuseRelease } from './refuse-release.ts';
import type { StartDeps } from './run-deps.ts';
import { startRelease } from './start-release.ts';

/** A promoted version goes on to the environments that wait for its promotion. Starting it twice is starting it once. */
export async function startFollowers(deps: StartDeps, release: Release): Promise<void> {
  const { phase, tenant, application: name, environment, version, commit, ref, artifactDigest, sbomUrl, id } = release;
  if (phase !== 'promoted') return;
  const application = (await deps.applications(tenant)).find((each) => each.name === name);
  const following =
    application?.environments.filter(({ starts, requires }) => starts.includes('promoted') && requires.includes(environment)) ?? [];
  await forEachSettled(following, async (next) => {
    const promoted = await Promise.all(
      next.requires.map((each) => wasPromoted(deps.table, { tenant, application: name, environment: each, version })),
    );
    if (promoted.includes(false)) return;
    const request = { tenant, application: name, environment: next.name, version, commit, ref, artifactDigest, sbomUrl };
    try {
      await startRelease(deps, { ...request, actor: `the promotion in ${environment}`, delivery: `promoted:${id}` }, next.plan);
    } catch (error) {
      if (!isOpsError(error) || error.kind === 'unavailable') throw error;
      await refuseRelease(deps, tenant, { ...request, isConfigured: true }, `${id}-${next.name}`, error.message);
    }
  });
}

import type { ReleaseDomains } from '#api/releases/release-domains.ts';
import { announceRelease } from '#releases/run/announce-release.ts';
import type { StartDeps } from '#releases/run/run-deps.ts';
import type { FunctionDeps } from './deps.ts';
import { compileApplications } from './release-files.ts';

/** What starting and commanding releases is made of. */
export function startDeps({ table, now, newId, config, externalUrl }: FunctionDeps): StartDeps {
  return {
    ...{ table, now, newId },
    releaseUrl: (id) => `${externalUrl}/api/releases/${id}`,
    applications: async (tenant) => (await compileApplications(config)).get(tenant) ?? [],
  };
}

/** What the routes of releases are made of. */
export function releaseDomains(deps: FunctionDeps): ReleaseDomains {
  return { ...startDeps(deps), announceRelease: (tenant, id) => announceRelease(deps, tenant, id) };
}

import type { ReleaseDomains } from '#api/releases/release-domains.ts';
import { announceRelease } from '#releases/run/announce-release.ts';
import type { FunctionDeps } from './deps.ts';
import { startDeps } from './releases-deps.ts';

/** What the routes of releases are made of. */
export function releaseDomains(deps: FunctionDeps): ReleaseDomains {
  return { ...startDeps(deps), announceRelease: (tenant, id) => announceRelease(deps, tenant, id) };
}

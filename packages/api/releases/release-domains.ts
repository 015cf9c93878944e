import type { StartDeps } from '#releases/run/run-deps.ts';

/** What the routes of releases are made of; whatever takes a tenant's name gives only what is that tenant's. */
export interface ReleaseDomains extends StartDeps {
  /** Told that a release is to be looked at; a hint, whose loss costs a minute. */
  readonly announceRelease: (tenant: string, id: string) => Promise<void>;
}

import { retry } from '#core/retry.ts';
import { ReleaseRefused } from '#model/release-events.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { StoreDeps } from './run-deps.ts';

/** What was wanted, and could not be begun. */
export interface RefusedRequest {
  readonly application: string;
  readonly environment: string;
  readonly isConfigured: boolean;
  readonly version: string;
  readonly commit: string;
  readonly reply?: Readonly<Record<string, string>> | undefined;
}

/** Tells that nothing came of a request, and why; the same request, known by `id`, is refused by the same event. */
export async function refuseRelease(
  { table, now }: StoreDeps,
  tenant: string,
  request: RefusedRequest,
  id: string,
  why: string,
): Promise<void> {
  const release = `refused-${id}`;
  const sentence = why.slice(0, 2_000).toWellFormed();
  const detail = ReleaseRefused.parse({ id: release, tenant, at: new Date(now()).toISOString(), release, ...request, sentence });
  await retry(() => table.transact([outboxWrite({ source: 'quarterdeck.releases', detailType: 'Release Refused', detail })]));
}

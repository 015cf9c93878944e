import type { Clock } from '#core/time.ts';
import { ReleaseDue } from '#model/release-events.ts';
import type { Bus } from '#ports/bus.ts';

/** Has a release looked at now, and not within the minute. A hint: it goes by no outbox, and what becomes of it matters to nobody. */
export async function announceRelease(deps: { bus: Bus; now: Clock; newId: () => string }, tenant: string, release: string): Promise<void> {
  const detail = ReleaseDue.parse({ id: deps.newId(), tenant, at: new Date(deps.now()).toISOString(), release });
  await deps.bus.publish([{ source: 'quarterdeck.releases', detailType: 'Release Due', detail }]).catch(() => undefined);
}

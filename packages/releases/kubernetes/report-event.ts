import { createHash } from 'node:crypto';
import { type Clock, DAY_MS, MINUTE_MS } from '#core/time.ts';
import { kubernetesEvent } from '#model/kubernetes-events.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table } from '#ports/table.ts';
import type { FlaggerPayload } from './flagger-payload.ts';
import { commitOnce } from './rollout-store.ts';

export interface ReportEventDeps {
  readonly table: Table;
  readonly now: Clock;
}

/** A sender's clock is believed when it is this near to ours. */
const MAX_AHEAD_MS = 10 * MINUTE_MS;
const MAX_BEHIND_MS = DAY_MS;

/**
 * Notes what Flagger reports of a canary, and tells of it once; false for what is known. The same report has the same id, whoever sends it
 * again.
 */
export async function reportEvent(deps: ReportEventDeps, tenant: string, payload: FlaggerPayload): Promise<boolean> {
  const { namespace, name, checksum, phase, metadata } = payload;
  const { eventMessage: message = '', eventType = '', timestamp = '' } = metadata;
  const nowMs = deps.now();
  const atMs = believedTime(timestamp, nowMs);
  const facts = [tenant, namespace, name, checksum, phase, eventType, message, timestamp];
  const id = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
  const detail = { id, tenant, at: new Date(atMs).toISOString(), namespace, name, checksum, phase, eventType, message };
  return commitOnce(deps, tenant, { kind: 'event', id, text: message, atMs: nowMs }, [
    outboxWrite(kubernetesEvent('Kubernetes Event Reported', detail)),
  ]);
}

/** When it happened: Flagger gives milliseconds as text. */
function believedTime(text: string, nowMs: number): number {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return ms > nowMs - MAX_BEHIND_MS && ms < nowMs + MAX_AHEAD_MS ? ms : nowMs;
}

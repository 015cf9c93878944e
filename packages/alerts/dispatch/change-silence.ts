import { expireSilence, type SilenceLimits, type SilencePlan, type SilenceRequest, setSilence } from '#alerts/routing/set-silence.ts';
import type { Silence } from '#alerts/routing/silence.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import { readSilences, writeSilences } from './silence-store.ts';

export interface ChangeSilenceDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
}

/** Of one tenant. */
const LIMITS: SilenceLimits = { maxSilences: 10_000, maxSilenceSizeBytes: 64 * 1024 };
/** Changes of the same silence at once that are still put one after the other. */
const ATTEMPTS = 10;

/** Creates or changes a silence, and gives the id under which it now stands. `input`, `missing` and `limit` as setSilence. */
export async function putSilence(deps: ChangeSilenceDeps, tenant: string, request: SilenceRequest): Promise<string> {
  const newId = deps.newId();
  const { id } = await change(deps, tenant, (silences, nowMs) => setSilence(silences, request, { nowMs, newId, limits: LIMITS }));
  return id;
}

/** Ends a silence; one that has ended stays as it is. `missing` where there is none. */
export async function endSilence(deps: ChangeSilenceDeps, tenant: string, id: string): Promise<void> {
  await change(deps, tenant, (silences, nowMs) => {
    const silence = silences.get(id);
    if (!silence) throw new OpsError('missing', 'silence not found');
    const expired = expireSilence(silence, nowMs);
    return { id, created: false, write: expired ? [expired] : [] };
  });
}

/** Plans on what is there, and again where somebody else was first. */
async function change(
  { table, now }: ChangeSilenceDeps,
  tenant: string,
  plan: (silences: ReadonlyMap<string, Silence>, nowMs: number) => SilencePlan,
): Promise<SilencePlan> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const silences = await readSilences(table, tenant, now());
    const planned = plan(silences, now());
    const writes = planned.write.map((after) => ({ before: silences.get(after.id), after }));
    if (writes.length === 0 || (await writeSilences(table, tenant, writes))) return planned;
  }
  throw new OpsError('unavailable', 'the silence is being changed by others all the time', { retryAfterMs: 1_000 });
}

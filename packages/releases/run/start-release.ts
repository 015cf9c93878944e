import { createHash } from 'node:crypto';
import { isOpsError, OpsError } from '#core/errors.ts';
import { retry } from '#core/retry.ts';
import { DAY_MS } from '#core/time.ts';
import type { Write } from '#ports/table.ts';
import type { ReleasePlan } from '#releases/application/application.ts';
import { planRelease } from '#releases/plan/plan-release.ts';
import { newRelease, type ReleaseRequest } from '#releases/release/release.ts';
import {
  activeWrite,
  commitRelease,
  findRelease,
  historyWrites,
  releaseWrite,
  type StoredRelease,
} from '#releases/release/release-store.ts';
import { readSlot, type Slot, slotCheck, slotWrite } from '#releases/release/slot.ts';
import { registerVersion } from '#releases/release/versions.ts';
import { commitPlan } from './commit-plan.ts';
import type { StoreDeps } from './run-deps.ts';

const ATTEMPTS = 12;
const STARTS_KEPT_MS = 90 * DAY_MS;

export interface StartedRelease {
  readonly id: string;
  /** False where the request was one that had been taken before, or joined a release that is under way. */
  readonly isNew: boolean;
}

/**
 * Starts a release, or queues it behind the one that its environment has; a release that was waiting there is over then. The same
 * (application, environment, version, delivery) is one release however often it comes, and a version that is under way or waits in the
 * environment is joined. Of two at once the one that writes first is first. `conflict` for a version of another commit or artifact.
 */
export async function startRelease(deps: StoreDeps, request: ReleaseRequest, plan: ReleasePlan): Promise<StartedRelease> {
  const { table, now } = deps;
  const { commit, ref, artifactDigest, sbomUrl, version } = request;
  const known = await registerVersion(table, request, { version, commit, ref, artifactDigest, sbomUrl, seenAtMs: now() });
  const whole = { ...request, commit: known.commit, artifactDigest: known.artifactDigest, sbomUrl: known.sbomUrl, ref: known.ref };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const taken = await retry(() => table.get(startKey(request)));
    if (taken) return { id: String(taken.release), isNew: false };
    const slot = await readSlot(table, request);
    const joined = await findJoined(deps, request, slot);
    const started = joined ? await joinRelease(deps, whole, slot, joined) : await openRelease(deps, whole, plan, slot);
    if (started) return started;
  }
  throw new OpsError('unavailable', `${request.application} in ${request.environment} was changed by others ${ATTEMPTS} times in a row`);
}

/** Hashed, since a delivery's id is whatever a sender says. */
function startKey({ tenant, application, environment, version, delivery }: ReleaseRequest) {
  const sk = createHash('sha256')
    .update(JSON.stringify([application, environment, version, delivery]))
    .digest('hex');
  return { pk: `releases/starts/${tenant}`, sk };
}

function startWrite(request: ReleaseRequest, id: string, nowMs: number): Write {
  const expiresAtS = Math.ceil((nowMs + STARTS_KEPT_MS) / 1_000);
  return { kind: 'put', item: { ...startKey(request), release: id, expiresAtS }, condition: { exists: false } };
}

async function openRelease(deps: StoreDeps, request: ReleaseRequest, plan: ReleasePlan, slot: Slot): Promise<StartedRelease | undefined> {
  const nowMs = deps.now();
  const { application, environment, version, actor, delivery } = request;
  const id = `${new Date(nowMs)
    .toISOString()
    .replace(/[-:]|\.\d+Z$/g, '')
    .toLowerCase()}-${deps.newId().slice(0, 10)}`;
  const sentence = `${actor} asked for ${application} ${version} in ${environment} (${delivery})`;
  const release = { ...newRelease(request, plan, id, nowMs), entries: 1 };
  const placed = { id, version };
  const stamp = deps.newId();
  const isCommitted = await commitRelease(deps.table, release, stamp, [
    releaseWrite(undefined, release, stamp),
    ...historyWrites(release, [{ number: 1, atMs: nowMs, kind: 'requested', sentence, actor }]),
    activeWrite(release),
    startWrite(request, id, nowMs),
    slotWrite(request, slot, slot.active ? { ...slot, queued: placed } : { ...slot, active: placed }),
  ]);
  return isCommitted ? { id, isNew: true } : undefined;
}

/** A release of the version that is under way or waits; one that goes back already is none. */
async function findJoined({ table }: StoreDeps, { tenant, version }: ReleaseRequest, slot: Slot): Promise<StoredRelease | undefined> {
  for (const placed of [slot.queued, slot.active]) {
    const stored = placed?.version === version ? await findRelease(table, tenant, placed.id) : undefined;
    if (stored && (stored.release.phase === 'queued' || stored.release.phase === 'progressing')) return stored;
  }
  return undefined;
}

/** Undefined where somebody else has changed it, or its environment, meanwhile. */
async function joinRelease(
  deps: StoreDeps,
  request: ReleaseRequest,
  slot: Slot,
  stored: StoredRelease,
): Promise<StartedRelease | undefined> {
  const { id } = stored.release;
  const nowMs = deps.now();
  const planned = planRelease(stored.release, { kind: 'joined', request }, nowMs);
  const writes = [startWrite(request, id, nowMs), slotCheck(request, slot)];
  try {
    return (await commitPlan(deps, stored, slot, planned, writes)) ? { id, isNew: false } : undefined;
  } catch (error) {
    if (!isOpsError(error, 'conflict')) throw error;
    return undefined;
  }
}

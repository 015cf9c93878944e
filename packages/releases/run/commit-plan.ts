import { OpsError } from '#core/errors.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Write } from '#ports/table.ts';
import { type PlannedRelease, planRelease, type ReleaseEvent } from '#releases/plan/plan-release.ts';
import { isEnded, type Release } from '#releases/release/release.ts';
import {
  activeWrite,
  commitRelease,
  historyWrites,
  readRelease,
  releaseWrite,
  type StoredRelease,
} from '#releases/release/release-store.ts';
import { readSlot, type Slot, slotCheck, slotWrite } from '#releases/release/slot.ts';
import { promotionKey } from '#releases/release/versions.ts';
import { toBusEvents } from './release-events.ts';
import type { StoreDeps } from './run-deps.ts';

const ATTEMPTS = 12;

/** Stores what was planned: the release, its history and its events, and its environment where it comes to an end or back from one. */
export async function commitPlan(
  deps: StoreDeps,
  before: StoredRelease,
  slot: Slot,
  planned: PlannedRelease,
  alongside: readonly Write[] = [],
): Promise<StoredRelease | undefined> {
  const { release, history, told } = planned;
  const stamp = deps.newId();
  const writes = [
    releaseWrite(before, release, stamp),
    ...historyWrites(release, history),
    ...told.flatMap((each) => toBusEvents(release, each, deps.releaseUrl(release.id)).map(outboxWrite)),
    ...placeWrites(before.release, release, slot),
    ...alongside,
  ];
  return (await commitRelease(deps.table, release, stamp, writes)) ? { release, rev: before.rev + 1, stamp } : undefined;
}

/** The environment goes to the release that waits when one ends; one that comes back takes it, or leaves it to the one that has it. */
function placeWrites(before: Release, after: Release, slot: Slot): Write[] {
  const { id, version } = after;
  const { active, queued, promoted } = slot;
  const writes: Write[] = [];
  if (isEnded(after) && !isEnded(before)) {
    const isOwn = active?.id === id;
    const next = { active: isOwn ? queued : active, queued: isOwn || queued?.id === id ? undefined : queued };
    const isPromoted = after.phase === 'promoted';
    writes.push(slotWrite(after, slot, { ...next, promoted: isPromoted ? { id, version } : promoted?.id === id ? undefined : promoted }));
    if (isPromoted) writes.push({ kind: 'put', item: { ...promotionKey(after), release: id } });
  }
  if (isEnded(before) && !isEnded(after)) {
    writes.push(
      active ? slotCheck(after, slot) : slotWrite(after, slot, { active: { id, version }, queued, promoted }),
      activeWrite(after),
    );
    if (before.phase === 'promoted') writes.push({ kind: 'delete', key: promotionKey(after) });
  }
  return writes;
}

/**
 * Gives an event to a release as it is now; the same again where somebody else was first. `writes`: what is stored with it if it
 * changes anything.
 */
export async function applyEvent(
  deps: StoreDeps,
  tenant: string,
  id: string,
  makeEvent: (release: Release, slot: Slot) => ReleaseEvent | Promise<ReleaseEvent>,
  writes: readonly Write[] = [],
): Promise<PlannedRelease> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const stored = await readRelease(deps.table, tenant, id);
    const slot = await readSlot(deps.table, stored.release);
    const planned = planRelease(stored.release, await makeEvent(stored.release, slot), deps.now());
    if (!planned.isChanged || (await commitPlan(deps, stored, slot, planned, writes))) return planned;
  }
  throw new OpsError('unavailable', `release ${id} was changed by others ${ATTEMPTS} times in a row`);
}

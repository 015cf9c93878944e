import { chunk } from '#core/batch.ts';
import { forEachSettled } from '#core/for-each-settled.ts';
import { MINUTE_MS } from '#core/time.ts';
import { withLease } from '#ports/lease.ts';
import { observeGates } from '#releases/gates/observe-gates.ts';
import type { Look } from '#releases/plan/look.ts';
import { planRelease } from '#releases/plan/plan-release.ts';
import { gatesInQuestion } from '#releases/plan/steps.ts';
import { isEnded, type Release } from '#releases/release/release.ts';
import { type ActiveRelease, findRelease, listActive, restRelease } from '#releases/release/release-store.ts';
import { readSlot, type Slot } from '#releases/release/slot.ts';
import { applyEvent, commitPlan } from './commit-plan.ts';
import { performAsk, performTraffic, type TrafficEvent } from './perform.ts';
import type { AdvanceDeps } from './run-deps.ts';
import { startFollowers } from './start-followers.ts';

const LEASE_MS = 3 * MINUTE_MS;
const AT_ONCE = 8;
/** Most commits of a release in one go: more than the steps that any configuration has between two waits. */
const MAX_ROUNDS = 400;
const RESERVE_MS = 90_000;

/** What became of one release. */
export interface AdvanceReport {
  readonly tenant: string;
  readonly release: string;
  readonly phase: Release['phase'];
  /** From 1. */
  readonly step: number;
  /** Changes that were stored. */
  readonly commits: number;
}

/**
 * Gets every release on as far as it goes now: looks at its gates, stores what it means to do, does it, and stores what came of it. Whoever
 * dies in between leaves an intent that the next run meets again. A release that fails to be looked at keeps none of the others.
 */
export async function advanceReleases(deps: AdvanceDeps): Promise<AdvanceReport[]> {
  const reports: AdvanceReport[] = [];
  const seen = new Set<string>();
  for (;;) {
    const active = (await listActive(deps.table)).filter(({ tenant, id }) => !seen.has(`${tenant}/${id}`));
    if (active.length === 0) return reports;
    for (const { tenant, id } of active) seen.add(`${tenant}/${id}`);
    const handedOver = await advanceAll(deps, active, reports);
    for (const key of handedOver) seen.delete(key);
  }
}

/** Gives the releases whose turn it is now. */
async function advanceAll(deps: AdvanceDeps, active: readonly ActiveRelease[], reports: AdvanceReport[]): Promise<string[]> {
  const handedOver: string[] = [];
  await forEachSettled(chunk(active, AT_ONCE), async (some) => {
    const settled = await Promise.allSettled(
      some.map(async (each) => {
        if (!(await isAnythingDue(deps, each))) return;
        const done = await withLease(deps, `releases/${each.tenant}/${each.id}`, LEASE_MS, () => advanceRelease(deps, each));
        if (!done) return;
        reports.push(done.report);
        if (done.next !== undefined) handedOver.push(`${each.tenant}/${done.next}`);
      }),
    );
    await forEachSettled(settled, async (each) => {
      if (each.status === 'rejected') throw each.reason;
    });
  });
  return handedOver;
}

/** `next`: the release that has the environment now. */
async function advanceRelease(deps: AdvanceDeps, active: ActiveRelease): Promise<{ report: AdvanceReport; next?: string } | undefined> {
  let commits = 0;
  for (let round = 1; ; round++) {
    const seen = await lookAtRelease(deps, active);
    if (!seen) return undefined;
    const { stored, slot, planned, isOver } = seen;
    const { release } = stored;
    const report = { tenant: active.tenant, release: release.id, phase: release.phase, step: release.step + 1, commits };
    const next = isEnded(release) && slot.active ? { next: slot.active.id } : {};
    if (isOver) {
      await startFollowers(deps, release);
      await restRelease(deps.table, active);
      return { report, ...next };
    }
    if (round > MAX_ROUNDS || (deps.remainingMs?.() ?? Number.POSITIVE_INFINITY) < RESERVE_MS) return { report };
    const after = planned.isChanged ? await commitPlan(deps, stored, slot, planned) : stored;
    if (!after) continue; // somebody else was first: looks again
    const outcomes = await performActions(deps, after.release, slot, planned.actions);
    if (!planned.isChanged && outcomes === 0) return { report, ...next };
    commits += outcomes + (planned.isChanged ? 1 : 0);
  }
}

/** Looked at before the lease, whose taking and giving back would be two writes each time. */
async function isAnythingDue(deps: AdvanceDeps, active: ActiveRelease): Promise<boolean> {
  const seen = await lookAtRelease(deps, active);
  if (!seen) return false;
  const { planned, isOver } = seen;
  return isOver || planned.isChanged || planned.actions.traffic || planned.actions.asks.length > 0;
}

/** A release, and what a look makes of it; one that is gone is not looked at again. `isOver`: there is nothing left to look at. */
async function lookAtRelease(deps: AdvanceDeps, active: ActiveRelease) {
  const stored = await findRelease(deps.table, active.tenant, active.id);
  if (!stored) {
    await restRelease(deps.table, active);
    return undefined;
  }
  const { release } = stored;
  const slot = await readSlot(deps.table, release);
  const planned = planRelease(release, await look(deps, release, slot), deps.now());
  return { stored, slot, planned, isOver: isEnded(release) && release.watchUntilMs === undefined };
}

async function look(deps: AdvanceDeps, release: Release, slot: Slot): Promise<Look> {
  const { id } = release;
  const facts = await observeGates(deps, release, gatesInQuestion(release));
  const place = slot.active?.id === id ? 'active' : slot.queued?.id === id ? 'queued' : 'none';
  return {
    kind: 'look',
    facts,
    place,
    newer: place === 'active' ? slot.queued?.version : undefined,
    isAnew: await isAnew(deps, release, slot),
  };
}

/** Whether the same version has got traffic here by another release: it is not for this one to take it back then. */
async function isAnew({ table }: AdvanceDeps, release: Release, { active, promoted }: Slot): Promise<boolean> {
  const { phase, tenant, id, version } = release;
  if (phase !== 'rolled-back' && phase !== 'rolling-back') return false;
  for (const placed of [active, promoted]) {
    if (placed?.version !== version || placed.id === id) continue;
    const other = await findRelease(table, tenant, placed.id);
    if (other?.release.touched) return true;
  }
  return false;
}

/** How many outcomes changed the release. */
async function performActions(
  deps: AdvanceDeps,
  release: Release,
  slot: Slot,
  { traffic, asks }: { readonly traffic: boolean; readonly asks: readonly string[] },
): Promise<number> {
  const { tenant, id } = release;
  let changes = 0;
  if (traffic) {
    const event = await performTraffic(deps, release, slot);
    const makeEvent = async (now: Release, place: Slot) => ({ ...event, isAnew: await isAnew(deps, now, place) }) as TrafficEvent;
    if (event && (await applyEvent(deps, tenant, id, makeEvent)).isChanged) changes++;
  }
  for (const key of asks) {
    const performed = await performAsk(deps, release, key);
    if (performed && (await applyEvent(deps, tenant, id, () => performed.event, performed.writes)).isChanged) changes++;
  }
  return changes;
}

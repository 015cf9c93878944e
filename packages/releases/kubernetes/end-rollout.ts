import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table, Write } from '#ports/table.ts';
import type { Rollout } from './flagger-payload.ts';
import { kubernetesEvent } from './kubernetes-events.ts';
import { commitEnding, type RolloutRecords, readRollout } from './rollout-store.ts';

export interface EndRolloutDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
}

const ATTEMPTS = 5;

/** Whether an end is news: of another phase than the last one, or after looks that came since. */
export function isNewEnding({ ended, looks }: RolloutRecords, phase: string): boolean {
  return !ended || ended.phase !== phase || looks.some(({ afterEnd }) => afterEnd === ended.commitId);
}

/** Notes that a rollout ended, and tells of it once; false for one that is known. What comes after is a rollout of its own. */
export async function endRollout(deps: EndRolloutDeps, rollout: Rollout, phase: string): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const records = await readRollout(deps.table, rollout);
    if (!isNewEnding(records, phase)) return false;
    const after = { commitId: deps.newId(), phase, endedAtMs: deps.now() };
    if (await commitEnding(deps, rollout, records.ended, after, [endedWrite(deps, rollout, records, after)])) return true;
  }
  throw new OpsError('unavailable', 'the rollout is being ended by others all the time', { retryAfterMs: 1_000 });
}

function endedWrite(
  deps: EndRolloutDeps,
  rollout: Rollout,
  { looks }: RolloutRecords,
  { phase, endedAtMs }: { phase: string; endedAtMs: number },
): Write {
  const verdicts = Object.fromEntries(looks.map(({ application, analysis, summary }) => [`${application}/${analysis}`, summary.verdict]));
  const detail = { id: deps.newId(), ...rollout, at: new Date(endedAtMs).toISOString(), phase, verdicts };
  return outboxWrite(kubernetesEvent('Kubernetes Rollout Ended', detail));
}

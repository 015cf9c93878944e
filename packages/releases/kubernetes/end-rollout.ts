import { OpsError } from '#core/errors.ts';
import { type Clock, HOUR_MS } from '#core/time.ts';
import { kubernetesEvent } from '#model/kubernetes-events.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table, Write } from '#ports/table.ts';
import type { Rollout } from './flagger-payload.ts';
import { commitEnding, type EndRecord, type LookRecord, type RolloutRecords, readRollout } from './rollout-store.ts';

export interface EndRolloutDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
}

const ATTEMPTS = 5;

/** Nobody repeats a call after as long: the same end is another one then. */
const REPEATED_MS = HOUR_MS;

/** The looks at a rollout since it last ended. */
function looksSince({ ended, looks }: RolloutRecords): readonly LookRecord[] {
  return looks.filter(({ afterEnd }) => afterEnd === (ended?.commitId ?? ''));
}

/** Whether an end is news: of another phase than the last one, after looks that came since, or long after it. */
function isNews(records: RolloutRecords, phase: string, nowMs: number): boolean {
  const { ended } = records;
  if (!ended || ended.phase !== phase || looksSince(records).length > 0) return true;
  return Math.abs(nowMs - ended.endedAtMs) >= REPEATED_MS;
}

/** Notes that a rollout ended, and tells of it once; false for one that is known. What comes after is a rollout of its own. */
export async function endRollout(deps: EndRolloutDeps, rollout: Rollout, phase: string): Promise<boolean> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const records = await readRollout(deps.table, rollout);
    const after = { commitId: deps.newId(), phase, endedAtMs: deps.now() };
    if (!isNews(records, phase, after.endedAtMs)) return false;
    if (await commitEnding(deps, rollout, records.ended, after, [endedWrite(deps, rollout, records, after)])) return true;
  }
  throw new OpsError('unavailable', 'the rollout is being ended by others all the time', { retryAfterMs: 1_000 });
}

function endedWrite(deps: EndRolloutDeps, rollout: Rollout, records: RolloutRecords, { phase, endedAtMs }: EndRecord): Write {
  const looks = looksSince(records);
  const verdicts = Object.fromEntries(looks.map(({ application, analysis, summary }) => [`${application}/${analysis}`, summary.verdict]));
  const detail = { id: deps.newId(), ...rollout, at: new Date(endedAtMs).toISOString(), phase, verdicts };
  return outboxWrite(kubernetesEvent('Kubernetes Rollout Ended', detail));
}

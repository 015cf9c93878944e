import { createHash } from 'node:crypto';
import { type Clock, HOUR_MS } from '#core/time.ts';
import { kubernetesEvent } from '#model/kubernetes-events.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table } from '#ports/table.ts';
import type { Rollout } from './flagger-payload.ts';
import { commitOnce, type LookRecord, readRollout } from './rollout-store.ts';
import { isOver } from './take-look.ts';

export interface AskRollbackDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
}

/** Only one of these, where something is said of it. */
export interface RollbackQuestion {
  readonly rollout: Rollout;
  readonly application?: string | undefined;
  readonly analysis?: string | undefined;
}

/**
 * The failed look for which a rollout has to go back; undefined where none has failed, which is no reason to go on either. That it was told
 * is itself told once.
 */
export async function askRollback(deps: AskRollbackDeps, question: RollbackQuestion): Promise<LookRecord | undefined> {
  const { rollout, application, analysis } = question;
  const records = await readRollout(deps.table, rollout);
  const nowMs = deps.now();
  const failed = records.looks.find(
    (look) =>
      look.summary.verdict === 'fail' &&
      !isOver(look, records, HOUR_MS, nowMs) &&
      (application ?? look.application) === look.application &&
      (analysis ?? look.analysis) === look.analysis,
  );
  if (failed) await tellOnce(deps, rollout, failed, nowMs);
  return failed;
}

async function tellOnce(
  deps: AskRollbackDeps,
  rollout: Rollout,
  { application, analysis, commitId, summary }: LookRecord,
  nowMs: number,
): Promise<void> {
  const { sentence } = summary;
  const detail = { id: deps.newId(), ...rollout, at: new Date(nowMs).toISOString(), application, analysis, sentence };
  const id = createHash('sha256').update(commitId).digest('hex').slice(0, 32);
  await commitOnce(deps, rollout.tenant, { kind: 'rollback', id, text: sentence, atMs: nowMs }, [
    outboxWrite(kubernetesEvent('Kubernetes Rollback Told', detail)),
  ]);
}

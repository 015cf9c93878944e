import { OpsError } from '#core/errors.ts';
import { type Clock, HOUR_MS } from '#core/time.ts';
import { kubernetesEvent } from '#model/kubernetes-events.ts';
import { outboxWrite } from '#ports/outbox.ts';
import type { Table } from '#ports/table.ts';
import type { Analyze } from '#releases/analyze.ts';
import type { FindAnalysis } from './analyses.ts';
import type { Rollout } from './flagger-payload.ts';
import { type LookSummary, summarizeJudgement } from './look-summary.ts';
import { type AnalysisName, commitLook, findLook, type LookRecord, noteCall, type RolloutRecords, readRollout } from './rollout-store.ts';

export interface TakeLookDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  readonly findAnalysis: FindAnalysis;
  readonly analyze: Analyze;
}

export interface LookRequest extends AnalysisName {
  readonly rollout: Rollout;
  readonly variables: Readonly<Record<string, string>>;
  /** How far looks are apart: a call that comes sooner than half of it asks for the same look again. */
  readonly intervalMs: number;
  /** How long the canary has had traffic when the first look is asked for. */
  readonly leadMs: number;
}

/** What to do about a call: answer with the look there is, or look. */
export type LookPlan =
  | { readonly kind: 'answer'; readonly look: LookRecord }
  | { readonly kind: 'look'; readonly before?: LookRecord | undefined; readonly fromMs: number; readonly isFirst: boolean };

const ATTEMPTS = 5;
/** Without a call for as long, the rollout is over, whatever else was told of it. */
const IDLE_MS = HOUR_MS;
const IDLE_INTERVALS = 10;

/**
 * One look a call, and none for a call that is repeated. A failure stays one until the rollout has ended, and so does a pass once no look is
 * left; each other verdict holds for its look. After an end, the same checksum is a rollout of its own.
 */
export function planLook(
  records: RolloutRecords,
  { application, analysis, intervalMs, leadMs }: Pick<LookRequest, 'application' | 'analysis' | 'intervalMs' | 'leadMs'>,
  nowMs: number,
): LookPlan {
  const last = findLook(records, { application, analysis });
  const fromMs = nowMs - leadMs;
  if (!last || isOver(last, records, intervalMs, nowMs)) return { kind: 'look', before: last, fromMs, isFirst: true };
  if (Math.abs(nowMs - last.lookAtMs) < intervalMs / 2 || isSettled(last)) return { kind: 'answer', look: last };
  return { kind: 'look', before: last, fromMs: Math.min(last.fromMs, fromMs), isFirst: false };
}

/** Whether a verdict is the analysis' last. */
function isSettled({ summary: { verdict, look, looks } }: LookRecord): boolean {
  return verdict === 'fail' || (verdict === 'pass' && looks !== undefined && look >= looks);
}

/** Whether a look was at a rollout that has ended since. */
export function isOver(look: LookRecord, { ended }: RolloutRecords, intervalMs: number, nowMs: number): boolean {
  if ((ended?.commitId ?? '') !== look.afterEnd) return true;
  return nowMs - look.calledAtMs > Math.max(IDLE_MS, IDLE_INTERVALS * intervalMs);
}

/**
 * Looks at a rollout once, or tells the look that this call repeats. Of calls at the same time all may analyze, one is kept, and all answer
 * with that. `missing` for an analysis that the application does not have; otherwise as `Analyze`.
 */
export async function takeLook(deps: TakeLookDeps, request: LookRequest): Promise<LookSummary> {
  const { rollout, application, analysis, variables } = request;
  const configured = await deps.findAnalysis({ tenant: rollout.tenant, application, analysis });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const nowMs = deps.now();
    const records = await readRollout(deps.table, rollout);
    const plan = planLook(records, request, nowMs);
    if (plan.kind === 'answer') return repeatLook(deps, request, plan.look, nowMs);
    const { before, fromMs, isFirst } = plan;
    const look = isFirst || !before ? 1 : before.summary.look + 1;
    const asked = { tenant: rollout.tenant, analysis: configured, variables, fromMs, toMs: nowMs, look };
    const { judgement, state } = await deps.analyze(isFirst || !before ? asked : { ...asked, state: before.state });
    const summary = { ...summarizeJudgement(judgement), look };
    const made = { commitId: deps.newId(), afterEnd: records.ended?.commitId ?? '', lookAtMs: nowMs, calledAtMs: nowMs };
    const after = { application, analysis, ...made, fromMs, summary, state };
    if (await commitLook(deps, rollout, before, after, [judgedWrite(deps.newId(), rollout, after)])) return summary;
    // However long it took: the call that was first, or our own whose answer got lost, made the look that this call asks for.
    const kept = findLook(await readRollout(deps.table, rollout), request);
    if (kept && kept.commitId !== before?.commitId) return kept.summary;
  }
  throw new OpsError('unavailable', 'the rollout is being looked at by others all the time', { retryAfterMs: 1_000 });
}

async function repeatLook(deps: TakeLookDeps, request: LookRequest, look: LookRecord, nowMs: number): Promise<LookSummary> {
  if (nowMs - look.calledAtMs >= request.intervalMs / 2) await noteCall(deps, request.rollout, look, nowMs);
  return look.summary;
}

function judgedWrite(id: string, { tenant, namespace, name, checksum }: Rollout, { application, analysis, lookAtMs, summary }: LookRecord) {
  const { look, verdict, sentence } = summary;
  const at = new Date(lookAtMs).toISOString();
  const detail = { id, tenant, at, namespace, name, checksum, application, analysis, look, verdict, sentence };
  return outboxWrite(kubernetesEvent('Kubernetes Canary Judged', detail));
}

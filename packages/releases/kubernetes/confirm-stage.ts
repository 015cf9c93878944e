import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import type { Rollout } from './flagger-payload.ts';
import type { AskGates, GateAnswer, GateStage } from './gates.ts';
import { type AnalysisName, findLook, readRollout } from './rollout-store.ts';
import { isOver } from './take-look.ts';

export interface ConfirmDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly askGates: AskGates;
}

export interface ConfirmRequest {
  readonly rollout: Rollout;
  readonly application: string;
  readonly environment: string;
  readonly stage: GateStage;
  /** An analysis that has to have passed as well. */
  readonly analysis?: string | undefined;
  readonly intervalMs: number;
}

/** Whether a rollout may go on: every gate is open, and the analysis, where one is named, has passed at its last look. */
export async function confirmStage(deps: ConfirmDeps, request: ConfirmRequest): Promise<GateAnswer> {
  const { rollout, application, environment, stage, analysis, intervalMs } = request;
  const [gates, passed] = await Promise.all([
    deps.askGates({ tenant: rollout.tenant, application, environment, stage }),
    analysis === undefined ? undefined : hasPassed(deps, rollout, { application, analysis }, intervalMs),
  ]);
  if (!passed) return gates;
  return { isOpen: gates.isOpen && passed.isOpen, reasons: [...passed.reasons, ...gates.reasons] };
}

async function hasPassed(
  deps: ConfirmDeps,
  rollout: Rollout,
  { application, analysis }: AnalysisName,
  intervalMs: number,
): Promise<GateAnswer> {
  const records = await readRollout(deps.table, rollout);
  const look = findLook(records, { application, analysis });
  if (!look || isOver(look, records, intervalMs, deps.now()))
    return { isOpen: false, reasons: [`${analysis} has not looked at this rollout`] };
  const { verdict, sentence } = look.summary;
  return { isOpen: verdict === 'pass', reasons: [`${analysis}: ${verdict}, ${sentence}`] };
}

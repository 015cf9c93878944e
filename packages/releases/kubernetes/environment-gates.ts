import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import type { Application, ReleasePlan } from '#releases/application/application.ts';
import type { Gate } from '#releases/application/gate.ts';
import type { GatePorts } from '#releases/gates/gate-ports.ts';
import { judgeGate } from '#releases/gates/judge-gate.ts';
import { observeGates } from '#releases/gates/observe-gates.ts';
import { newRelease } from '#releases/release/release.ts';
import type { AskGates, GateStage } from './gates.ts';

export interface EnvironmentGatesDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly gates: GatePorts;
  readonly applications: (tenant: string) => Promise<readonly Application[]>;
}

/** What can be said without a release of ours: the others ask who approved it, or what is known of its commit. */
const KNOWN_WITHOUT_RELEASE: ReadonlySet<Gate['kind']> = new Set(['freeze', 'alerts', 'sloBudget']);

/**
 * The gates of an application's environment for a rollout that somebody else drives. Before it starts those of `start` are asked, between steps
 * those of `step`, at its end those of `promotion`. An analysis is no gate here, since hooks name theirs; what only a release of ours could
 * open stays shut, and says so.
 */
export function createAskGates(deps: EnvironmentGatesDeps): AskGates {
  return async ({ tenant, application, environment, stage }) => {
    const found = (await deps.applications(tenant)).find(({ name }) => name === application);
    const plan = found?.environments.find(({ name }) => name === environment)?.plan;
    if (!plan)
      throw new OpsError('missing', found ? `${application} has no environment ${environment}` : `there is no application ${application}`);
    const gates = gatesAt(plan, stage).filter(({ kind }) => kind !== 'analysis');
    const nowMs = deps.now();
    const request = { tenant, application, environment, version: '', commit: '', actor: 'kubernetes', delivery: '' };
    const release = newRelease(request, plan, 'kubernetes', nowMs);
    const facts = await observeGates(deps, release, gates.filter(isKnown));
    const judged = gates.map((gate) => {
      if (!isKnown(gate)) return { isOpen: false, reason: `${gate.name}: takes a release of Quarterdeck's own` };
      const { state, sentence } = judgeGate(gate, release, facts, nowMs);
      return { isOpen: state === 'open', reason: `${gate.name}: ${sentence}` };
    });
    return { isOpen: judged.every(({ isOpen }) => isOpen), reasons: judged.map(({ reason }) => reason) };
  };
}

function isKnown({ kind }: Gate): boolean {
  return KNOWN_WITHOUT_RELEASE.has(kind);
}

function gatesAt({ steps }: ReleasePlan, stage: GateStage): readonly Gate[] {
  const [first, last] = [steps[0], steps.at(-1)];
  if (stage === 'confirm-promotion') return last?.after ?? [];
  if (stage === 'confirm-traffic-increase') return (steps.length > 1 ? first : undefined)?.after ?? [];
  return first?.before ?? [];
}

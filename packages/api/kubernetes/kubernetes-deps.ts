import type { Clock } from '#core/time.ts';
import type { Table } from '#ports/table.ts';
import type { Analyze } from '#releases/analyze.ts';
import type { FindAnalysis, MeasureOnce } from '#releases/kubernetes/analyses.ts';
import type { AskGates } from '#releases/kubernetes/gates.ts';

/** What the webhooks of Kubernetes' rollout controllers need. */
export interface KubernetesDeps {
  readonly table: Table;
  readonly now: Clock;
  readonly newId: () => string;
  readonly findAnalysis: FindAnalysis;
  readonly analyze: Analyze;
  readonly measureOnce: MeasureOnce;
  readonly askGates: AskGates;
}

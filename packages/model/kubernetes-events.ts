import * as z from 'zod';
import { Envelope } from './event-envelope.ts';

const Rollout = Envelope.extend({
  namespace: z.string(),
  /** Of the canary, or of the analysis run. */
  name: z.string(),
  /** Names what is rolled out. */
  checksum: z.string(),
});

/** An analysis looked at a rollout in Kubernetes. */
export const KubernetesCanaryJudged = Rollout.extend({
  application: z.string(),
  analysis: z.string(),
  /** From 1. */
  look: z.int().min(1),
  verdict: z.enum(['pass', 'fail', 'continue', 'inconclusive']),
  /** For a person, with the numbers in it. */
  sentence: z.string(),
});

/** Flagger was told to roll back, since an analysis failed. */
export const KubernetesRollbackTold = Rollout.extend({
  application: z.string(),
  analysis: z.string(),
  /** The analysis' sentence. */
  sentence: z.string(),
});

/** A rollout in Kubernetes ended. */
export const KubernetesRolloutEnded = Rollout.extend({
  /** Flagger's word: Succeeded or Failed. */
  phase: z.string(),
  /** Verdict of each analysis that looked at it, by application/analysis. */
  verdicts: z.record(z.string(), z.string()),
});

/** Flagger reported something about a canary. */
export const KubernetesEventReported = Rollout.extend({
  /** Flagger's word; empty for a canary that is new. */
  phase: z.string(),
  /** Normal or Warning. */
  eventType: z.string(),
  message: z.string(),
});

/** The events of rollouts in Kubernetes, as the list of all events has them. */
export const kubernetesEventTypes = [
  { source: 'quarterdeck.releases', detailType: 'Kubernetes Canary Judged', schema: KubernetesCanaryJudged },
  { source: 'quarterdeck.releases', detailType: 'Kubernetes Rollback Told', schema: KubernetesRollbackTold },
  { source: 'quarterdeck.releases', detailType: 'Kubernetes Rollout Ended', schema: KubernetesRolloutEnded },
  { source: 'quarterdeck.releases', detailType: 'Kubernetes Event Reported', schema: KubernetesEventReported },
] as const;

type KubernetesEvent = (typeof kubernetesEventTypes)[number];

/** The event of that name on its way to the bus. */
export function kubernetesEvent<T extends KubernetesEvent['detailType']>(
  detailType: T,
  detail: z.infer<Extract<KubernetesEvent, { detailType: T }>['schema']>,
): { source: string; detailType: T; detail: typeof detail } {
  return { source: 'quarterdeck.releases', detailType, detail };
}

import type { Json } from '#model/json.ts';
import type { Judgement, Verdict } from '#model/judgement.ts';
import { kubernetesEventTypes } from '#model/kubernetes-events.ts';
import type { BusEvent } from '#ports/bus.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { AnalysisRequest } from '#releases/analyze.ts';
import type { Rollout } from '#releases/kubernetes/flagger-payload.ts';
import type { LookRequest, TakeLookDeps } from '#releases/kubernetes/take-look.ts';

export const NOW = Date.parse('2026-11-23T12:00:00Z');
export const MINUTE = 60_000;
export const ROLLOUT: Rollout = { tenant: 'a', namespace: 'test', name: 'podinfo', checksum: '85d557f47b' };

/** A judgement of one metric. */
export function judgement(verdict: Verdict, look: number, more: Partial<Judgement> = {}): Judgement {
  const sentence = `latency is ${verdict} at look ${look}`;
  const numbers = { estimate: 0.25, lower: 0.1, upper: 0.4, statistic: Number.NaN };
  return { verdict, sentence, look, metrics: [{ name: 'latency', verdict, reason: 'boundary crossed', sentence, numbers }], ...more };
}

/** A table, a clock, and an analysis that says what the script says: by look, its last word again for every later one. */
export function createRolloutWorld(script: readonly (Verdict | Error)[] = ['continue'], looks?: number) {
  const clock = { nowMs: NOW };
  const table = createMemoryTable();
  const asked: AnalysisRequest[] = [];
  let ids = 0;
  const deps: TakeLookDeps = {
    table,
    now: () => clock.nowMs,
    newId: () => `id${String(++ids).padStart(6, '0')}`,
    findAnalysis: async ({ analysis }) => ({ named: analysis }),
    async analyze(request) {
      asked.push(request);
      const word = script[Math.min(request.look, script.length) - 1] as Verdict | Error;
      if (word instanceof Error) throw word;
      return { judgement: judgement(word, request.look, { looks }), state: { seen: request.look } as Json };
    },
  };
  const events = (detailType?: string): BusEvent[] => {
    const all = table.items().filter(({ pk }) => pk === 'outbox');
    const sorted = all.sort((x, y) => (x.sk < y.sk ? -1 : 1)).map(({ event }) => JSON.parse(String(event)) as BusEvent);
    for (const { detailType: type, detail } of sorted) kubernetesEventTypes.find((one) => one.detailType === type)?.schema.parse(detail);
    return sorted.filter((event) => detailType === undefined || event.detailType === detailType);
  };
  return { clock, table, deps, asked, events };
}

/** A call of the rollout hook. */
export function lookRequest(more: Partial<LookRequest> = {}): LookRequest {
  return {
    ...{ rollout: ROLLOUT, application: 'shop', analysis: 'golden', variables: { canary: 'podinfo' } },
    ...{ intervalMs: MINUTE, leadMs: MINUTE },
    ...more,
  };
}

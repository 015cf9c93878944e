import { type DeliverDeps, deliverNotifications } from '#alerts/deliver/deliver-notifications.ts';
import { type DispatchDeps, dispatchAlerts } from '#alerts/dispatch/dispatch.ts';
import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import { compileRouting } from '#alerts/dispatch/routing.ts';
import type { EvaluateDeps } from '#alerts/evaluate/evaluate-deps.ts';
import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import type { Verdict } from '#alerts/receivers/verdict.ts';
import type { AlertRule, Rule } from '#alerts/rules/rule.ts';
import type { RuleSample } from '#alerts/rules/rule-result.ts';
import { createRuleRenderer } from '#alerts/rules/rule-templates.ts';
import { isOpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import { type Series, seriesFromLabels, seriesKey } from '#model/series.ts';
import type { Blobs } from '#ports/blobs.ts';
import { CrashError } from '#ports/faulty.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemorySource } from '#ports/memory/memory-sample-source.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';
import { createQueryPort } from '#query/query-port.ts';
import { createOverlaySource } from '#storage/overlay-source.ts';

export const START = Date.parse('2026-11-23T12:00:00Z');
export const TENANT = 't';

/** Where evaluations are written; like ingest, the same again is the same. */
export interface Samples {
  append(series: readonly RuleSample[], atMs: number): Promise<void>;
}

/** Whoever is told. */
export interface Receiver {
  send(planned: PlannedDelivery, key: string): Promise<Verdict>;
}

export interface WorldPorts {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly samples: Samples;
  readonly receiver: Receiver;
}

/** One thing that a receiver was told. */
export interface Told {
  readonly key: string;
  readonly atMs: number;
  readonly planned: PlannedDelivery;
}

/** Everything alerting stands on, in memory, with what it did. */
export function createWorld() {
  const clock = { nowMs: START };
  const source = createMemorySource();
  const written = new Map<string, Map<number, number>>();
  const told: Told[] = [];
  const state = { groups: [] as readonly SourcedGroup[], routing: compileRouting(ROUTING), verdict: (): Verdict => ({ kind: 'sent' }) };
  const ports: WorldPorts = {
    table: createMemoryTable(),
    blobs: createMemoryBlobs({ clock: () => clock.nowMs }),
    samples: {
      async append(samples, atMs) {
        for (const { series, value, stale } of samples) {
          const times = written.get(seriesKey(series)) ?? new Map<number, number>();
          written.set(seriesKey(series), times.set(atMs, stale ? Number.NaN : value));
          source.append(series, [{ ts: atMs, value, stale }]);
        }
      },
    },
    receiver: {
      async send(planned, key) {
        told.push({ key, atMs: clock.nowMs, planned: structuredClone(planned) });
        return state.verdict();
      },
    },
  };
  /** Samples of a series from a time on, one each 15 s. */
  const feed = (series: Series, fromMs: number, values: readonly number[]) => {
    source.append(
      series,
      values.map((value, i) => ({ ts: fromMs + i * 15_000, value })),
    );
  };
  return { clock, source, written, told, state, ports, feed };
}
export type World = ReturnType<typeof createWorld>;

export const ROUTING = `
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1m
  repeat_interval: 10m
receivers:
  - name: hook
    webhook_configs: [{url: 'http://hook.test/'}]
`;

const limits = { maxSeries: 10_000, maxSamples: 1_000_000, maxBytes: Number.MAX_SAFE_INTEGER, timeoutMs: 60_000 };

/** The three functions of one process on the ports as they are for it. */
export function startProcess(world: World, ports: WorldPorts, name: string) {
  let ids = 0;
  const { clock, state, source } = world;
  const { table, blobs } = ports;
  const shared = { table, blobs, now: () => clock.nowMs, newId: () => `${name}x${ids++}` };
  const evaluate: EvaluateDeps = {
    ...shared,
    groups: async () => state.groups,
    openView: (tenant) => {
      const overlay = createOverlaySource(source);
      const query = createQueryPort({ source: overlay.source, limits, now: Date.now });
      return {
        query,
        append: (samples, tMs) => {
          for (const { series, value, stale } of samples) overlay.append(series, [{ ts: tMs, value, stale }]);
        },
        render: createRuleRenderer({ query, tenant, externalLabels: {}, externalUrl: '' }),
      };
    },
    write: async (_, samples, atMs) => (samples.length > 0 ? ports.samples.append(samples, atMs) : undefined),
    generatorUrl: (expr) => `http://q.test/${expr}`,
  };
  const dispatch: DispatchDeps = { ...shared, routing: async () => state.routing, memberships: async () => new Map() };
  const deliver: DeliverDeps = { ...shared, random: () => 0, send: (_, planned, key) => ports.receiver.send(planned, key) };
  return {
    deps: { evaluate, dispatch, deliver },
    evaluate: () => evaluateRules(evaluate, [TENANT]),
    dispatch: () => dispatchAlerts(dispatch, [TENANT]),
    deliver: () => deliverNotifications(deliver),
    /** One turn of the schedule: a function that fails keeps no other from its turn. Returns what failed. */
    async turn(): Promise<unknown[]> {
      const failures: unknown[] = [];
      for (const run of [this.evaluate, this.dispatch, this.deliver]) await run().catch((error) => failures.push(error));
      return failures;
    },
  };
}
export type Process = ReturnType<typeof startProcess>;

/** Throws what is neither a crash nor a store that does not answer: a defect. */
export function assertExpected(failures: readonly unknown[]): void {
  for (const failure of failures) if (!(failure instanceof CrashError) && !isOpsError(failure, 'unavailable')) throw failure;
}

/** An alerting rule that fires at once, unless told otherwise. */
export function alertRule(name: string, expr: string, more: Partial<AlertRule> = {}): AlertRule {
  return { kind: 'alert', name, expr, forMs: 0, keepFiringForMs: 0, labels: {}, annotations: {}, ...more };
}

/** A group that is evaluated each minute. */
export function groupOf(namespace: string, rules: readonly Rule[]): SourcedGroup {
  const settings = { intervalMs: MINUTE_MS, queryOffsetMs: undefined, limit: 0, labels: {} };
  return { namespace, group: { ...settings, name: 'g', rules } };
}

/** A series as `{__name__, ...labels}`. */
export function seriesOf(labels: Readonly<Record<string, string>>): Series {
  return seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value })));
}

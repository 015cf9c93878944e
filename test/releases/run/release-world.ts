import { parse } from 'yaml';
import * as z from 'zod';
import type { Json } from '#model/json.ts';
import type { Verdict } from '#model/judgement.ts';
import { type Fault, faulty, type PortCall } from '#ports/faulty.ts';
import { createMemoryOutgoing } from '#ports/memory/memory-outgoing.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createMemoryTraffic } from '#ports/memory/memory-traffic.ts';
import type { TrafficDriver } from '#ports/traffic.ts';
import type { AnalysisRequest, AnalysisResult } from '#releases/analyze.ts';
import type { Application } from '#releases/application/application.ts';
import { applicationFile } from '#releases/application/application-file.ts';
import type { Command } from '#releases/plan/command.ts';
import { readHistory, readRelease } from '#releases/release/release-store.ts';
import { advanceReleases } from '#releases/run/advance-releases.ts';
import { commandRelease } from '#releases/run/command-release.ts';
import type { AdvanceDeps } from '#releases/run/run-deps.ts';
import { startRelease } from '#releases/run/start-release.ts';

export const START_MS = Date.parse('2026-11-25T12:00:00Z');

/** An application as its file has it. */
export function application(text: string): Application {
  return applicationFile({ analysis: z.json() as z.ZodType<Json> }).parse(parse(text, { stringKeys: true }));
}

/** One environment that memory shifts the traffic of. */
export function shop(environment: string): Application {
  return application(`
application: shop
repository: acme/shop
service: { job: shop }
analyses: { errors: { query: errors } }
freezes: { weekend: { weekdays: [saturday, sunday], why: people sleep } }
environments:
  - name: production
    driver: { type: memory }
${environment
  .trim()
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
`);
}

export interface WorldOptions {
  readonly applications: readonly Application[];
  /** What goes wrong with which call; a new plan is a new process. */
  readonly fault?: ((call: PortCall) => Fault | undefined) | undefined;
  /** Stands in front of the driver, as whoever watches what it is told. */
  readonly watch?: ((driver: TrafficDriver) => TrafficDriver) | undefined;
}

/** Everything that releases touch, in memory, with a clock that tests turn. */
export function createWorld({ applications, watch = (driver) => driver }: WorldOptions) {
  const clock = { nowMs: START_MS };
  let ids = 0;
  const stored = createMemoryTable();
  const traffic = createMemoryTraffic('v1');
  const outgoing = createMemoryOutgoing();
  const world = { verdict: 'continue' as Verdict | Error, firing: [] as string[], budget: 0.5 as number | undefined | Error };
  const looks: AnalysisRequest[] = [];
  const judge = {
    async analyze(request: AnalysisRequest): Promise<AnalysisResult> {
      looks.push(request);
      if (world.verdict instanceof Error) throw world.verdict;
      const { look } = request;
      return { judgement: { verdict: world.verdict, sentence: `it is ${world.verdict}`, look, metrics: [] }, state: { look } };
    },
  };
  const open = (fault: WorldOptions['fault']) => {
    const wrapped = faulty({ table: stored, traffic: watch(traffic), judge, outgoing }, fault ?? (() => undefined));
    const { ports } = wrapped;
    const deps: AdvanceDeps = {
      table: ports.table,
      now: () => clock.nowMs,
      newId: () => `id${String(++ids).padStart(6, '0')}`,
      releaseUrl: (id) => `https://ops.example.org/api/releases/${id}`,
      applications: async () => applications,
      drivers: (type) => (type === 'memory' ? ports.traffic : undefined),
      analyze: ports.judge.analyze,
      outgoing: ports.outgoing,
      gates: {
        firingAlerts: async () => world.firing.map((name) => ({ name, labels: { alertname: name } })),
        sloBudget: async () => {
          if (world.budget instanceof Error) throw world.budget;
          return world.budget;
        },
      },
      bounded: (call) => call,
    };
    return { ...wrapped, deps };
  };
  const { deps } = open(undefined);
  const request = (version: string, delivery = `api:${version}`, environment = 'production') => {
    const name = applications[0] as Application;
    const plan = name.environments.find((each) => each.name === environment)?.plan;
    if (!plan) throw new Error(environment);
    const of = { tenant: 'default', application: name.name, environment, version, commit: `commit-${version}`, actor: 'ci', delivery };
    return [of, plan] as const;
  };
  return {
    ...{ clock, table: stored, traffic, outgoing, world, looks, open, deps, request },
    passMs(ms: number) {
      clock.nowMs += ms;
    },
    start: async (version: string, delivery?: string, environment?: string) =>
      (await startRelease(deps, ...request(version, delivery, environment))).id,
    advance: () => advanceReleases(deps),
    /** Advances in small steps of time. */
    async run(ms: number, stepMs = 30_000) {
      for (const untilMs = clock.nowMs + ms; clock.nowMs < untilMs; ) {
        clock.nowMs = Math.min(untilMs, clock.nowMs + stepMs);
        await advanceReleases(deps);
      }
    },
    command: (id: string, command: Command['command'], more: Partial<Command> = {}) =>
      commandRelease(deps, 'default', id, { command, actor: 'ann', ...more }),
    release: async (id: string) => (await readRelease(stored, 'default', id)).release,
    history: (id: string) => readHistory(stored, 'default', id),
    events: () =>
      stored
        .items()
        .filter(({ pk }) => pk === 'outbox')
        .sort((a, b) => (a.sk < b.sk ? -1 : 1))
        .map(({ event }) => JSON.parse(String(event)) as { detailType: string; detail: Record<string, unknown> }),
  };
}

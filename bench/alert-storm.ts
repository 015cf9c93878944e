import { deliverNotifications } from '#alerts/deliver/deliver-notifications.ts';
import { dispatchAlerts } from '#alerts/dispatch/dispatch.ts';
import { inboxWrite } from '#alerts/dispatch/inbox.ts';
import { compileRouting } from '#alerts/dispatch/routing.ts';
import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import { loadConfig } from '#config/load-config.ts';
import { MINUTE_MS } from '#core/time.ts';
import { evaluateDeps } from '#functions/alerts-deps.ts';
import type { FunctionDeps } from '#functions/deps.ts';
import { BatchBuilder } from '#ingest/batch-builder.ts';
import { ingestSamples } from '#ingest/ingest-samples.ts';
import { seriesFromLabels } from '#model/series.ts';
import { createSimulation, measureWork, type Simulation } from './simulation.ts';

/** What a storm took. */
export interface StormFigure {
  readonly seconds: Readonly<Record<string, number>>;
  readonly total: number;
  /** Most that was resident until the end of each stage, and in all, MiB. */
  readonly peaks: Readonly<Record<string, number>>;
  readonly peakMb: number;
  /** Alerts in the one notification. */
  readonly told: number;
}

const ALERTS = 100_000;
const START = Date.parse('2026-11-23T12:00:00Z');
const RULES =
  'groups: [{name: storm, rules: [{alert: Down, expr: up == 0, labels: {severity: page}, annotations: {summary: "{{ $labels.instance }} of {{ $labels.job }} is down"}}]}]';
const ROUTING = `
route: {receiver: hook, group_by: [alertname], group_wait: 0s}
receivers: [{name: hook, webhook_configs: [{url: 'http://hook.test/'}]}]
`;

/** 100,000 series go down at once: evaluated, written, grouped, deduplicated, persisted, one notification handed to its receiver. */
export async function measureStorm(): Promise<StormFigure> {
  const simulation = await createSimulation(START);
  const config = await loadConfig({
    readFile: async (path) => (path === 'rules/a.yaml' ? RULES : undefined),
    list: async () => ['rules/a.yaml'],
  });
  const deps = { ...simulation.fresh(64 * 1024 * 1024), config };
  const builder = new BatchBuilder();
  for (let i = 0; i < ALERTS; i++) {
    const labels = {
      __name__: 'up',
      job: `job-${i % 50}`,
      instance: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:9100`,
      cluster: `c${i % 7}`,
    };
    builder.add(seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value }))), START - 5_000, 0, 0);
  }
  const decoded = { batch: builder.finish(), metadata: [], rejections: [], exemplars: 0, stampedAtReceipt: false };
  await ingestSamples(deps.ingest, { tenant: 'default', protocol: 'bench', decoded });
  const evaluate = async () => void (await evaluateRules(evaluateDeps(deps), ['default']));
  const figure = await takeIn(simulation, deps, { evaluate });
  simulation.setNow(START + MINUTE_MS);
  const again = (await measureWork(simulation, evaluate)).work.seconds;
  return { ...figure, seconds: { ...figure.seconds, 'evaluate again': again }, peakMb: peakMb() };
}

/** The same alerts as somebody else's Prometheus posts them, 1,000 at a time. */
export async function measurePosted(): Promise<StormFigure> {
  const simulation = await createSimulation(START);
  const { deps } = simulation;
  const post = async () => {
    for (let from = 0; from < ALERTS; from += 1_000) {
      const alerts = Array.from({ length: 1_000 }, (_, i) => ({
        labels: { alertname: 'Down', severity: 'page', ...targetLabels(from + i) },
        annotations: { summary: `target ${from + i} is down` },
        ...{
          startsAtMs: START,
          endsAtMs: START + 5 * MINUTE_MS,
          updatedAtMs: START,
          generatorUrl: 'http://prometheus.test/',
          endIsTimeout: true,
        },
      }));
      await deps.table.transact([await inboxWrite(deps, 'default', alerts, START)]);
    }
  };
  return takeIn(simulation, deps, { post });
}

function targetLabels(i: number): Record<string, string> {
  return { job: `job-${i % 50}`, instance: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:9100`, cluster: `c${i % 7}` };
}

const peakMb = () => process.resourceUsage().maxRSS / 1024;

/** Runs what makes the alerts, then dispatching and delivering. */
async function takeIn(
  simulation: Simulation,
  deps: FunctionDeps,
  make: Readonly<Record<string, () => Promise<void>>>,
): Promise<StormFigure> {
  const { table, blobs, now, newId } = deps;
  const shared = { table, blobs, now, newId };
  const routing = compileRouting(ROUTING);
  const told = new Set<string>();
  const dispatch = async () =>
    void (await dispatchAlerts({ ...shared, routing: async () => routing, memberships: async () => new Map() }, ['default']));
  const deliver = async () => {
    await deliverNotifications({
      ...{ ...shared, random: () => 0 },
      async send(_, planned) {
        for (const { fingerprint } of planned.alerts) told.add(fingerprint);
        return { kind: 'sent' };
      },
    });
  };
  const seconds: Record<string, number> = {};
  const peaks: Record<string, number> = {};
  for (const [name, run] of Object.entries({ ...make, dispatch, deliver })) {
    seconds[name] = (await measureWork(simulation, run)).work.seconds;
    peaks[name] = Math.round(peakMb());
  }
  const total = Object.values(seconds).reduce((sum, each) => sum + each, 0);
  return { seconds, total, peaks, peakMb: peakMb(), told: told.size };
}

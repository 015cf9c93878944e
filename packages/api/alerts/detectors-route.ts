import { Hono } from 'hono';
import { bandSeries } from '#alerts/anomaly/anomaly-detector.ts';
import type { Detector } from '#alerts/detectors/detector.ts';
import { DEFAULT_INTERVAL_MS } from '#alerts/evaluate/evaluate-due.ts';
import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import { type GroupView, type RuleViewDeps, viewRules } from '#alerts/evaluate/rule-view.ts';
import { conditionsOf } from '#alerts/pattern/pattern.ts';
import type { DetectorRule } from '#alerts/rules/rule.ts';
import type { RuleState } from '#alerts/rules/rule-state.ts';
import type { ApiEnv } from '#api/api-env.ts';

export interface DetectorRouteDeps extends RuleViewDeps {
  /** Groups of the tenant's files. */
  readonly fileGroups: (tenant: string) => Promise<readonly SourcedGroup[]>;
}

/** GET /api/detectors: what is detected, and how the last evaluation left it. */
export function detectorRoutes({ table, blobs, fileGroups }: DetectorRouteDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/api/detectors', async (c) => {
    const tenant = c.get('tenant');
    const groups = (await fileGroups(tenant)).filter(({ group }) => group.rules.some(({ kind }) => kind === 'detector'));
    const views = await viewRules({ table, blobs }, tenant, groups);
    return c.json({ detectors: views.flatMap(listDetectors) });
  });
  return app;
}

function listDetectors(view: GroupView) {
  return view.rules.flatMap(({ rule, state }) => (rule.kind === 'detector' ? [describeDetector(view, rule, state)] : []));
}

function describeDetector({ namespace, group, pointer }: GroupView, rule: DetectorRule, state: RuleState | undefined) {
  const { detector } = rule;
  const alerts = state?.alerts ?? [];
  return {
    name: rule.name,
    file: namespace,
    group: group.name,
    ...describeKind(detector),
    labels: rule.labels,
    annotations: rule.annotations,
    intervalSeconds: (group.intervalMs ?? DEFAULT_INTERVAL_MS) / 1_000,
    evaluatedAt: pointer && new Date(pointer.evaluatedAtMs).toISOString(),
    durationSeconds: pointer && pointer.durationMs / 1_000,
    error: state?.error ?? '',
    state: {
      labelSets: state?.memory?.rows.length ?? 0,
      pending: alerts.filter(({ phase }) => phase === 'pending').length,
      firing: alerts.filter(({ phase }) => phase === 'firing').length,
    },
  };
}

function describeKind(detector: Detector) {
  if (detector.kind === 'pattern') {
    const { kind, pattern, by } = detector;
    return { kind, pattern: pattern.form, conditions: conditionsOf(pattern), by };
  }
  const { kind, expr, score, reasons, maxSeries, record } = detector;
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);
  return {
    ...{ kind, expr, score, reasons, maxSeries, band: bandSeries(record) },
    expectedIntervalSeconds: seconds(detector.expectedIntervalMs),
    missingAfterSeconds: seconds(detector.missingAfterMs),
    forgetAfterSeconds: seconds(detector.forgetAfterMs),
  };
}

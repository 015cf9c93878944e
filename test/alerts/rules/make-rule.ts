import type { RenderTemplate } from '#alerts/rules/expand-alert.ts';
import type { AlertRule, RecordingRule } from '#alerts/rules/rule.ts';
import { createRuleRenderer } from '#alerts/rules/rule-templates.ts';
import { seriesFromLabels } from '#model/series.ts';
import { createMemorySource, type MemorySource } from '#ports/memory/memory-sample-source.ts';
import type { InstantSample, Query } from '#ports/query.ts';
import type { SampleSource } from '#ports/sample-source.ts';
import { createQueryPort } from '#query/query-port.ts';

export const minute = 60_000;

/** An alerting rule on `up == 0` that fires at once, unless told otherwise. */
export function alertRule(more: Partial<AlertRule> = {}): AlertRule {
  return { kind: 'alert', name: 'Down', expr: 'up == 0', forMs: 0, keepFiringForMs: 0, labels: {}, annotations: {}, ...more };
}

/** A recording rule of that name and expression. */
export function recordingRule(name: string, expr: string, labels: Record<string, string> = {}): RecordingRule {
  return { kind: 'record', name, expr, labels };
}

/** A series as `{__name__, ...labels}`. */
export function seriesOf(labels: Record<string, string>) {
  return seriesFromLabels(Object.entries(labels).map(([name, value]) => ({ name, value })));
}

/** One series of a vector. */
export function sample(labels: Record<string, string>, value = 0): InstantSample {
  return { series: seriesOf(labels), value };
}

/** The query engine over a source. */
export function queryOver(source: SampleSource): Query {
  const limits = { maxSeries: 10_000, maxSamples: 1_000_000, maxBytes: Number.MAX_SAFE_INTEGER, timeoutMs: 60_000 };
  return createQueryPort({ source, limits, now: Date.now });
}

/** Templates over nothing, with one external label. */
export const render: RenderTemplate = rendererOver(createMemorySource());

/** Templates over a source. */
export function rendererOver(source: MemorySource): RenderTemplate {
  return createRuleRenderer({ query: queryOver(source), tenant: 't', externalLabels: { region: 'eu' }, externalUrl: 'https://q.example' });
}

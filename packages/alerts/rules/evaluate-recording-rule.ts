import { type Series, seriesFromLabels } from '#model/series.ts';
import type { RuleInput } from './evaluate-alert-rule.ts';
import type { RecordingRule } from './rule.ts';
import { failRule, type RuleResult, type RuleSample, staleMarkers } from './rule-result.ts';
import { toLabels } from './rule-state.ts';

/**
 * One evaluation of a recording rule: what its expression gave under its name and labels, and stale markers for what it gave before and no
 * longer gives. Two series that come to the same labels, or more than the limit, fail it as in Prometheus; its series stay until it
 * succeeds.
 */
export function evaluateRecordingRule({ rule, state, vector, limit }: RuleInput<RecordingRule>): RuleResult {
  const samples: RuleSample[] = [];
  const keys = new Set<string>();
  for (const { series, value } of vector) {
    const recorded = nameSeries(rule, series);
    if (keys.has(recorded.json)) return failRule(state, 'vector contains metrics with the same labelset after applying rule labels');
    keys.add(recorded.json);
    samples.push({ series: recorded, value, stale: false });
  }
  if (limit > 0 && samples.length > limit) return failRule(state, `exceeded limit of ${limit} with ${samples.length} series`);
  const series = samples.map((sample) => sample.series);
  const gone = staleMarkers(state.series, samples);
  const isSame = gone.length === 0 && series.length === state.series.length;
  return {
    state: { ...state, series: isSame ? state.series : series, error: '' },
    samples: [...samples, ...gone],
    changes: [],
    difference: !isSame ? 'alerts' : state.error === '' ? 'none' : 'values',
  };
}

function nameSeries(rule: RecordingRule, series: Series): Series {
  const labels = toLabels(rule.labels);
  if (labels.length === 0) return { metric: rule.name, labels: series.labels, json: series.json };
  return { ...seriesFromLabels([...series.labels, ...labels]), metric: rule.name };
}

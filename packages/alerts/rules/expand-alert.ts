import type { ExplainedSample } from '#alerts/detectors/detector.ts';
import { isOpsError } from '#core/errors.ts';
import type { LabelSet } from '#model/alert.ts';
import { type Label, type Series, seriesFromLabels } from '#model/series.ts';
import type { AlertingRule } from './rule.ts';
import { labelSet } from './rule-result.ts';
import { toLabels } from './rule-state.ts';

/** What the templates of one alert see. */
export interface AlertTemplateData {
  /** The rule's name. */
  readonly alert: string;
  /** Labels of the series that alerts, `__name__` among them. */
  readonly labels: LabelSet;
  readonly value: number;
  /** When the rule is evaluated. */
  readonly atMs: number;
}

/** Expands one template; `input` where it cannot be. External labels and the external URL are its own business. */
export type RenderTemplate = (text: string, data: AlertTemplateData) => Promise<string>;

/** Labels and annotations of the alert that a series makes. A template that fails leaves its error as its text, as in Prometheus. */
export async function expandAlert(
  render: RenderTemplate,
  rule: AlertingRule,
  { series, value, explanation }: ExplainedSample,
  atMs: number,
): Promise<{ readonly labels: Series; readonly annotations: LabelSet }> {
  const metric: Label[] = series.metric === '' ? [] : [{ name: '__name__', value: series.metric }];
  const told: Label[] = explanation === undefined ? [] : [{ name: '__explanation__', value: explanation }];
  let data: AlertTemplateData | undefined;
  const expand = async (text: string): Promise<string> => {
    if (!text.includes('{{')) return text;
    data ??= { alert: rule.name, labels: labelSet([...series.labels, ...metric, ...told]), value, atMs };
    try {
      return await render(text, data);
    } catch (error) {
      if (!isOpsError(error)) throw error;
      return `<error expanding template: ${error.message}>`;
    }
  };
  const expandAll = async (texts: LabelSet): Promise<Label[]> => {
    const labels: Label[] = [];
    for (const { name, value: text } of toLabels(texts)) labels.push({ name, value: await expand(text) });
    return labels;
  };
  const own = [...(await expandAll(rule.labels)), { name: 'alertname', value: rule.name }];
  const annotations = labelSet(await expandAll(rule.annotations));
  return {
    labels: seriesFromLabels([...series.labels, ...own]),
    annotations: explanation === undefined ? annotations : { explanation, ...annotations },
  };
}

import { parseRuleTemplate, type RuleTemplate, renderRuleTemplate } from '#alerts/template/rule-template.ts';
import { createCache } from '#core/bounded-cache.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Query } from '#ports/query.ts';
import type { RenderTemplate } from './expand-alert.ts';
import { labelSet } from './rule-result.ts';

export interface RuleTemplatesDeps {
  readonly query: Query;
  readonly tenant: string;
  readonly externalLabels: LabelSet;
  readonly externalUrl: string;
}

const MAX_TEMPLATES = 10_000;

/** Checks a template of a rule file; `input` in the words of promtool. */
export function checkRuleTemplate(alert: string, text: string): void {
  parseRuleTemplate(alert, text);
}

/** Renders the templates of rules, each parsed once; what they query is looked up at the time of the evaluation. */
export function createRuleRenderer({ query, tenant, externalLabels, externalUrl }: RuleTemplatesDeps): RenderTemplate {
  const parsed = createCache<RuleTemplate>({ maxEntries: MAX_TEMPLATES });
  return async (text, { alert, labels, value, atMs }) => {
    const key = `${alert}\u0000${text}`;
    const template = parsed.get(key) ?? parseRuleTemplate(alert, text);
    parsed.set(key, template);
    const lookUp = async (expr: string) => {
      const { samples } = await query.instant({ tenant, expr, atMs });
      return samples.map(({ series, value: found }) => ({ labels: withName(series.metric, labelSet(series.labels)), value: found }));
    };
    return await renderRuleTemplate(template, { labels, externalLabels, value }, { nowMs: atMs, externalUrl, query: lookUp });
  };
}

function withName(metric: string, labels: LabelSet): LabelSet {
  return metric === '' ? labels : { ...labels, __name__: metric };
}

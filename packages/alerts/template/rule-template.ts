import { isOpsError } from '#core/errors.ts';
import { createStringMap, type GoStruct, type GoType, stringMapType } from './go-values.ts';
import { parseTemplate, type Template } from './parse.ts';
import { prometheusFunctions } from './prometheus-functions.ts';
import { type RenderOptions, renderTemplate } from './render.ts';

/** What Prometheus puts in front of every annotation and label: shorter names for the data. */
const prelude = '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';

/** A label or annotation of an alerting rule, parsed once for all its alerts. */
export interface RuleTemplate {
  /** What it always gives, where nothing in it is to be evaluated. */
  readonly constant: string | undefined;
  readonly template: Template | undefined;
}

/** Of one alert: its sample's labels, `__name__` too where it has one, and its sample's value (a histogram's is its text). */
export interface RuleTemplateData {
  readonly labels: Readonly<Record<string, string>>;
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly value: number | string;
}

/** Parses a label's or annotation's text for the alert of a name. `input` in the words that promtool has for it. */
export function parseRuleTemplate(alert: string, text: string): RuleTemplate {
  if (!text.includes('{{')) return { constant: text, template: undefined };
  return { constant: undefined, template: parseTemplate(prelude + text, { functions: prometheusFunctions, name: `__alert_${alert}` }) };
}

const dataType: GoType = {
  name: 'struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }',
};

/** Renders a rule's text for one alert. Errors as of `renderTemplate`. */
export async function renderRuleTemplate(rule: RuleTemplate, data: RuleTemplateData, options: RenderOptions): Promise<string> {
  if (!rule.template) return rule.constant ?? '';
  const struct: GoStruct = {
    kind: 'struct',
    type: dataType,
    fields: {
      Labels: createStringMap(stringMapType, data.labels),
      ExternalLabels: createStringMap(stringMapType, data.externalLabels),
      ExternalURL: options.externalUrl ?? '',
      Value: data.value,
    },
  };
  return renderTemplate(rule.template, struct, options);
}

/** What stands for a label or annotation that could not be rendered, as Prometheus words it; throws on what is no fault of the template. */
export function describeRuleFailure(alert: string, error: unknown): string {
  if (!isOpsError(error, 'input') && !isOpsError(error, 'limit')) throw error;
  return `<error expanding template: error executing template __alert_${alert}: ${error.message}>`;
}

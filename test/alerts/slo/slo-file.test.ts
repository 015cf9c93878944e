import { describe, expect, it } from 'vitest';
import { findWindows, parseWindowsFile } from '#alerts/slo/alert-windows.ts';
import { generateSloRules } from '#alerts/slo/generate-slo-rules.ts';
import { parseSloFile } from '#alerts/slo/slo-file.ts';

const events = '{ events: { error_query: "e[{{.window}}]", total_query: "t[{{ .window }}]" } }';
const alerting = '{ name: A }';
const file = (slo: string, head = 'service: s') => `version: prometheus/v1\n${head}\nslos:\n- ${slo}\n`;

describe('a file of SLOs', () => {
  it.each([
    ['nothing', '', '1:1: the file has no SLO'],
    ['an unknown version', 'version: v9', '1:1: unknown version "v9"; accepted: prometheus/v1, sloth.slok.dev/v1, openslo/v1alpha'],
    ['no service', file(`{ name: a, objective: 1, sli: ${events}, alerting: ${alerting} }`, 'labels: {}'), 'service must be letters'],
    [
      'an objective past 100',
      file(`{ name: a, objective: 100.1, sli: ${events}, alerting: ${alerting} }`),
      '4:25: the objective must be above 0 and at most 100',
    ],
    [
      'an objective that is no number',
      file(`{ name: a, objective: high, sli: ${events}, alerting: ${alerting} }`),
      'cannot unmarshal !!str `high` into float64',
    ],
    [
      'two kinds of SLI',
      file(`{ name: a, objective: 1, sli: { raw: {}, events: {} }, alerting: ${alerting} }`),
      'an SLI is one of events, raw and plugin',
    ],
    ['no SLI', file(`{ name: a, objective: 1, alerting: ${alerting} }`), 'an SLI is one of events, raw and plugin'],
    [
      'a query without a window',
      file(`{ name: a, objective: 1, sli: { raw: { error_ratio_query: "e[5m]" } }, alerting: ${alerting} }`),
      'must have {{.window}}',
    ],
    [
      'a query with more of a template',
      file(`{ name: a, objective: 1, sli: { raw: { error_ratio_query: "e[{{.window}}]{{.x}}" } }, alerting: ${alerting} }`),
      'no template but {{.window}}',
    ],
    [
      'equal queries',
      file(
        `{ name: a, objective: 1, sli: { events: { error_query: "[{{.window}}]", total_query: "[{{.window}}]" } }, alerting: ${alerting} }`,
      ),
      'must differ',
    ],
    ['alerts without a name', file(`{ name: a, objective: 1, sli: ${events} }`), 'alerting must have a name'],
    [
      'an SLI plugin that is not known',
      file(`{ name: a, objective: 1, sli: { plugin: { id: constructor } }, alerting: ${alerting} }`),
      'SLI plugin "constructor" is not known',
    ],
    [
      'options that a plugin lacks',
      file(`{ name: a, objective: 1, sli: { plugin: { id: getting_started_availability } }, alerting: ${alerting} }`),
      'option job is missing',
    ],
    [
      'an SLO twice',
      `${file(`{ name: a, objective: 1, sli: ${events}, alerting: ${alerting} }`)}- { name: a, objective: 1, sli: ${events}, alerting: ${alerting} }\n`,
      'SLO "s-a" is there twice',
    ],
    [
      'OpenSLO by time slices',
      'apiVersion: openslo/v1alpha\nmetadata: { name: a }\nspec: { service: s, budgetingMethod: Timeslices, objectives: [] }\n',
      'budgetingMethod must be Occurrences',
    ],
    [
      'OpenSLO from elsewhere',
      'apiVersion: openslo/v1alpha\nmetadata: { name: a }\nspec: { service: s, objectives: [{ target: 0.9, ratioMetrics: { good: { source: x }, total: {} } }] }\n',
      'source must be prometheus',
    ],
  ])('with %s is refused', (_, text, message) => {
    expect(() => parseSloFile(text)).toThrow(message);
  });

  it('says which of its fields nobody reads', () => {
    const { slos, warnings } = parseSloFile(file(`{ name: a, objective: 1, sli: ${events}, alerting: { name: A, pageAlert: {} } }`));
    expect([slos.length, warnings]).toEqual([
      1,
      ['4:134: field pageAlert not found in alerting; accepted: name, labels, annotations, page_alert, ticket_alert'],
    ]);
  });

  it('with one alert switched off has the other', () => {
    const [slo] = parseSloFile(
      file(`{ name: a, objective: 1, sli: ${events}, alerting: { name: A, page_alert: { disable: true } } }`),
    ).slos;
    if (!slo) throw new Error('no SLO');
    const rules = generateSloRules(slo, findWindows(undefined), { mode: 'm', version: 'v' }).flatMap((group) => group.rules);
    expect(rules.filter(({ kind }) => kind === 'alert').map(({ labels }) => labels)).toEqual([{ sloth_severity: 'ticket' }]);
  });
});

describe('windows', () => {
  it('for a period that nobody gave are missing', () => {
    expect(() => findWindows(7 * 86_400_000)).toThrow('no alert windows for an SLO period of 7 days');
  });

  it.each([
    ['another kind', 'apiVersion: sloth.slok.dev/v1\nkind: Else\n', 'kind must be AlertWindows'],
    ['no period', 'apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec: {}\n', 'sloPeriod must be a duration above 0'],
    [
      'a short window that is the longer',
      'apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec: { sloPeriod: 30d, page: { quick: { errorBudgetPercent: 2, shortWindow: 2h, longWindow: 1h } } }\n',
      'shortWindow must be above 0 and shorter than longWindow',
    ],
    [
      'more than all of the budget',
      'apiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec: { sloPeriod: 30d, page: { quick: { errorBudgetPercent: 200, shortWindow: 5m, longWindow: 1h } } }\n',
      'errorBudgetPercent must be above 0 and at most 100',
    ],
  ])('with %s are refused', (_, text, message) => {
    expect(() => parseWindowsFile(text)).toThrow(message);
  });
});

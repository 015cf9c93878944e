import type { RecordingRule, Rule, RuleGroup } from '#alerts/rules/rule.ts';
import { formatDuration } from '#core/duration.ts';
import { DAY_MS } from '#core/time.ts';
import type { LabelSet } from '#model/alert.ts';
import { type AlertWindows, type BurnWindow, burnRateFactor, listWindows, type SeverityWindows } from './alert-windows.ts';
import type { Slo, SloAlert } from './slo.ts';

export interface GenerateOptions {
  /** On every recording. */
  readonly extraLabels?: LabelSet | undefined;
  /** What `sloth_slo_info` says of who made the rules. */
  readonly mode: string;
  readonly version: string;
}

/** The share of bad events that is allowed: objective 99.9 leaves 0.001. */
export function errorBudgetRatio({ objective }: Pick<Slo, 'objective'>): number {
  return (100 - objective) / 100;
}

/** The labels by which the recordings of an SLO are found: `{sloth_id="...", sloth_service="...", sloth_slo="..."}`. */
export function sloSelector({ id, service, name }: Pick<Slo, 'id' | 'service' | 'name'>): string {
  return `{sloth_id=${JSON.stringify(id)}, sloth_service=${JSON.stringify(service)}, sloth_slo=${JSON.stringify(name)}}`;
}

/** The recording of the error ratio over a window. */
export function sliMetric(windowMs: number): string {
  return `slo:sli_error:ratio_rate${formatDuration(windowMs)}`;
}

/**
 * The rules of an SLO as Sloth makes them, in up to three groups: error ratios over every window and the period, what there is to say of the
 * SLO, and its alerts on several windows and burn rates (SRE Workbook, chapter 5).
 */
export function generateSloRules(slo: Slo, windows: AlertWindows, options: GenerateOptions): RuleGroup[] {
  const { sli, metadata, alert } = slo.changes.intervalMs;
  const alerts = alertRules(slo, windows);
  return [
    group(`sloth-slo-sli-recordings-${slo.id}`, sli, sliRules(slo, windows, options)),
    group(`sloth-slo-meta-recordings-${slo.id}`, metadata, [
      ...metadataRules(slo, windows, options),
      ...correctionRules(slo, windows, options),
    ]),
    ...(alerts.length > 0 ? [group(`sloth-slo-alerts-${slo.id}`, alert, alerts)] : []),
  ];
}

function group(name: string, intervalMs: number | undefined, rules: readonly Rule[]): RuleGroup {
  return { name, intervalMs, queryOffsetMs: undefined, limit: 0, labels: {}, rules };
}

function record(name: string, expr: string, labels: LabelSet): RecordingRule {
  return { kind: 'record', name, expr, labels };
}

function baseLabels(slo: Slo, { extraLabels = {} }: GenerateOptions): LabelSet {
  return { ...extraLabels, ...slo.labels, sloth_id: slo.id, sloth_service: slo.service, sloth_slo: slo.name };
}

function sliRules(slo: Slo, windows: AlertWindows, options: GenerateOptions): Rule[] {
  const labels = (windowMs: number) => ({ ...baseLabels(slo, options), sloth_window: formatDuration(windowMs) });
  const all = listWindows(windows);
  const shortest = `${sliMetric(all[0] as number)}${sloSelector(slo)}[${formatDuration(windows.periodMs)}]`;
  const period = `sum_over_time(${shortest})\n/ ignoring (sloth_window)\ncount_over_time(${shortest})`;
  return [
    ...all.map((windowMs) => record(sliMetric(windowMs), errorRatio(slo, windowMs), labels(windowMs))),
    record(sliMetric(windows.periodMs), period, labels(windows.periodMs)),
  ];
}

function errorRatio(slo: Slo, windowMs: number): string {
  const { sli } = slo;
  if (sli.kind === 'raw') return `(${over(sli.errorRatioQuery, windowMs)})`;
  const [errors, total] = [over(sli.errorQuery, windowMs), over(sli.totalQuery, windowMs)];
  if (!slo.changes.isDenominatorCorrected) return `(${errors})\n/\n(${total})`;
  return `(\n${correctionMetric(windowMs)}${sloSelector(slo)}\n* on()\n${errors}\n)\n/\n(${total})`;
}

/** A query over one window. */
function over(query: string, windowMs: number): string {
  return query.replaceAll(WINDOW, formatDuration(windowMs));
}

/** Where a query wants its window. */
export const WINDOW = /\{\{-?\s*\.window\s*-?\}\}/g;

function metadataRules(slo: Slo, { periodMs, ...windows }: AlertWindows, options: GenerateOptions): Rule[] {
  const labels = baseLabels(slo, options);
  const selector = sloSelector(slo);
  const objective = 1 - errorBudgetRatio(slo);
  const burn = (windowMs: number) =>
    `${sliMetric(windowMs)}${selector}\n/ on(sloth_id, sloth_slo, sloth_service) group_left\nslo:error_budget:ratio${selector}`;
  const info = {
    ...labels,
    ...slo.changes.infoLabels,
    sloth_mode: options.mode,
    sloth_objective: String(slo.objective),
    sloth_spec: slo.dialect,
    sloth_version: options.version,
  };
  return [
    record('slo:objective:ratio', `vector(${objective})`, labels),
    record('slo:error_budget:ratio', `vector(1-${objective})`, labels),
    record('slo:time_period:days', `vector(${periodMs / DAY_MS})`, labels),
    record('slo:current_burn_rate:ratio', burn(listWindows({ periodMs, ...windows })[0] as number), labels),
    record('slo:period_burn_rate:ratio', burn(periodMs), labels),
    record('slo:period_error_budget_remaining:ratio', `1 - slo:period_burn_rate:ratio${selector}`, labels),
    record('sloth_slo_info', 'vector(1)', info),
  ];
}

function correctionMetric(windowMs: number): string {
  return `slo:numerator_correction:ratio${formatDuration(windowMs)}`;
}

/** How much of the period's traffic each window has. */
function correctionRules(slo: Slo, windows: AlertWindows, options: GenerateOptions): Rule[] {
  const { sli } = slo;
  if (!slo.changes.isDenominatorCorrected || sli.kind !== 'events') return [];
  const total = (windowMs: number) => over(sli.totalQuery, windowMs);
  return listWindows(windows).map((windowMs) =>
    record(correctionMetric(windowMs), `(${total(windowMs)})/(${total(windows.periodMs)})`, baseLabels(slo, options)),
  );
}

function alertRules(slo: Slo, windows: AlertWindows): Rule[] {
  const rule = (severity: 'page' | 'ticket', alert: SloAlert | undefined): Rule[] => {
    if (alert === undefined) return [];
    const annotations = {
      summary: '{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is over expected.',
      title: `(${severity}) {{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is too fast.`,
      ...alert.annotations,
    };
    const labels = { ...alert.labels, sloth_severity: severity };
    const expr = burnCondition(slo, windows[severity], windows.periodMs);
    return [{ kind: 'alert', name: slo.alertName, expr, forMs: 0, keepFiringForMs: 0, labels, annotations }];
  };
  return [...rule('page', slo.page), ...rule('ticket', slo.ticket)];
}

/** Fires while one of two burn rates is passed over its long window, and is ended by its short one soon after the burning stops. */
function burnCondition(slo: Slo, { quick, slow }: SeverityWindows, periodMs: number): string {
  const condition = (window: BurnWindow) => {
    const threshold = `(${burnRateFactor(window, periodMs)} * ${errorBudgetRatio(slo)})`;
    const over = (windowMs: number) => `    max(${sliMetric(windowMs)}${sloSelector(slo)} > ${threshold}) without (sloth_window)`;
    return `(\n${over(window.shortMs)}\n    and\n${over(window.longMs)}\n)`;
  };
  return `${condition(quick)}\nor\n${condition(slow)}\n`;
}

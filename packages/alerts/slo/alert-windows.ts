import { readYamlDocuments, type StrictYaml } from '#alerts/strict-yaml.ts';
import { OpsError } from '#core/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#core/time.ts';

/** One condition of an alert: both windows burn fast enough to spend that share of the budget within the long one. */
export interface BurnWindow {
  readonly errorBudgetPercent: number;
  readonly shortMs: number;
  readonly longMs: number;
}

/** Two conditions of which one is enough. */
export interface SeverityWindows {
  readonly quick: BurnWindow;
  readonly slow: BurnWindow;
}

/** The windows of all alerts over an SLO's period. */
export interface AlertWindows {
  readonly periodMs: number;
  readonly page: SeverityWindows;
  readonly ticket: SeverityWindows;
}

/** Shares and windows of the SRE Workbook, chapter 5, table 5-8 (with 10 % for both tickets), as Sloth has them. */
function workbookWindows(periodMs: number): AlertWindows {
  return {
    periodMs,
    page: {
      quick: { errorBudgetPercent: 2, shortMs: 5 * MINUTE_MS, longMs: HOUR_MS },
      slow: { errorBudgetPercent: 5, shortMs: 30 * MINUTE_MS, longMs: 6 * HOUR_MS },
    },
    ticket: {
      quick: { errorBudgetPercent: 10, shortMs: 2 * HOUR_MS, longMs: DAY_MS },
      slow: { errorBudgetPercent: 10, shortMs: 6 * HOUR_MS, longMs: 3 * DAY_MS },
    },
  };
}

/** The windows that need no file; the first are those of an SLO that names no period. */
export const BUILT_IN_WINDOWS: readonly AlertWindows[] = [workbookWindows(30 * DAY_MS), workbookWindows(28 * DAY_MS)];

/** The windows for a period, those given before the built-in ones; `missing` where there are none. */
export function findWindows(periodMs: number | undefined, given: readonly AlertWindows[] = []): AlertWindows {
  const wanted = periodMs ?? (BUILT_IN_WINDOWS[0] as AlertWindows).periodMs;
  const found = [...given, ...BUILT_IN_WINDOWS].find((windows) => windows.periodMs === wanted);
  if (found === undefined) throw new OpsError('missing', `there are no alert windows for an SLO period of ${wanted / DAY_MS} days`);
  return found;
}

/** How many times faster than sustainable the budget burns when its share is spent within the long window; see the SRE Workbook, chapter 5. */
export function burnRateFactor({ errorBudgetPercent, longMs }: BurnWindow, periodMs: number): number {
  return (errorBudgetPercent * (periodMs / HOUR_MS)) / 100 / (longMs / HOUR_MS);
}

/** Every window of the alerts, the shortest first. */
export function listWindows({ page, ticket }: AlertWindows): number[] {
  const all = [page.quick, page.slow, ticket.quick, ticket.slow].flatMap(({ shortMs, longMs }) => [shortMs, longMs]);
  return [...new Set(all)].sort((a, b) => a - b);
}

/** Reads a file of kind `AlertWindows`; `input` with everything that is wrong. */
export function parseWindowsFile(text: string): AlertWindows {
  const { documents, faults } = readYamlDocuments(text, { onlyFirst: true });
  const [yaml] = documents;
  const fields = yaml.fields(yaml.root, 'windows file', ['apiVersion', 'kind', 'spec']);
  if (yaml.text(fields.get('apiVersion')) !== 'sloth.slok.dev/v1')
    yaml.fail(fields.get('apiVersion'), 'apiVersion must be sloth.slok.dev/v1');
  if (yaml.text(fields.get('kind')) !== 'AlertWindows') yaml.fail(fields.get('kind'), 'kind must be AlertWindows');
  const spec = yaml.fields(fields.get('spec'), 'spec', ['sloPeriod', 'page', 'ticket']);
  const periodMs = yaml.durationMs(spec.get('sloPeriod'));
  const windows = { periodMs, page: readSeverity(yaml, spec.get('page')), ticket: readSeverity(yaml, spec.get('ticket')) };
  if (periodMs <= 0) yaml.fail(spec.get('sloPeriod'), 'sloPeriod must be a duration above 0');
  for (const windowMs of listWindows(windows))
    if (windowMs > periodMs) yaml.fail(fields.get('spec'), 'a window must not be longer than the period');
  if (faults.length > 0) throw new OpsError('input', faults.map(({ line, col, message }) => `${line}:${col}: ${message}`).join('\n'));
  return windows;
}

type YamlNode = Parameters<StrictYaml['text']>[0];

function readSeverity(yaml: StrictYaml, node: YamlNode): SeverityWindows {
  const fields = yaml.fields(node, 'severity', ['quick', 'slow']);
  return { quick: readWindow(yaml, fields.get('quick'), node), slow: readWindow(yaml, fields.get('slow'), node) };
}

function readWindow(yaml: StrictYaml, node: YamlNode, parent: YamlNode): BurnWindow {
  const fields = yaml.fields(node, 'window', ['errorBudgetPercent', 'shortWindow', 'longWindow']);
  const errorBudgetPercent = yaml.number(fields.get('errorBudgetPercent'));
  const shortMs = yaml.durationMs(fields.get('shortWindow'));
  const longMs = yaml.durationMs(fields.get('longWindow'));
  if (!(errorBudgetPercent > 0 && errorBudgetPercent <= 100))
    yaml.fail(node ?? parent, 'errorBudgetPercent must be above 0 and at most 100');
  if (!(shortMs > 0 && shortMs < longMs)) yaml.fail(node ?? parent, 'shortWindow must be above 0 and shorter than longWindow');
  return { errorBudgetPercent, shortMs, longMs };
}

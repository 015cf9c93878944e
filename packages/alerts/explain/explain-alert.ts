import { type AlertView, type AlertViewDeps, viewAlerts } from '#alerts/dispatch/alert-view.ts';
import type { SourcedGroup } from '#alerts/evaluate/group-pointer.ts';
import { type GroupView, type RuleView, viewRules } from '#alerts/evaluate/rule-view.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { isResolved } from '#alerts/routing/flush.ts';
import { formatLabels } from '#alerts/routing/labels.ts';
import { encodeMatcher, formatMatchers } from '#alerts/routing/matchers.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { labelSet } from '#alerts/rules/rule-result.ts';
import type { ActiveAlert } from '#alerts/rules/rule-state.ts';
import type { LabelSet } from '#model/alert.ts';
import { explainRoutes } from './explain-routes.ts';
import {
  type ChangeExplained,
  type DueExplained,
  type Explanation,
  type InhibitionExplained,
  isoTime,
  type RuleExplained,
  type SilenceExplained,
} from './explanation.ts';

export interface ExplainDeps extends AlertViewDeps {
  readonly ruleGroups: (tenant: string) => Promise<{ readonly groups: readonly SourcedGroup[] }>;
}

/** Who is told what of an alert, and why not. Undefined where nothing is known of it: it never was, or is long over. */
export async function explainAlert(deps: ExplainDeps, tenant: string, fingerprint: string): Promise<Explanation | undefined> {
  const view = await viewAlerts(deps, tenant);
  const made = findMade(await viewRules(deps, tenant, (await deps.ruleGroups(tenant)).groups), fingerprint);
  const held = view.alerts.get(fingerprint);
  const labels = held?.labels ?? (made && labelSet(made.alert.labels.labels));
  if (!labels) return undefined;
  const silences = explainSilences(view, labels);
  const inhibitions = explainInhibitions(view, labels);
  const { routes, next } = await explainRoutes(deps.table, tenant, view, { fingerprint, labels });
  const state = stateOf(view.nowMs, held, made, silences.length + inhibitions.length);
  const due = [...dueOf(view.nowMs, held, made), ...next, ...silences.map(dueOfSilence)].sort((a, b) => (a.at < b.at ? -1 : 1));
  return {
    fingerprint,
    labels,
    annotations: held?.annotations ?? made?.alert.annotations ?? {},
    state,
    startsAt: held ? isoTime(held.startsAtMs) : made?.alert.firedAtMs === undefined ? null : isoTime(made.alert.firedAtMs),
    endsAt: endOf(held, made),
    sentence: sayState(labels, state, silences, inhibitions),
    rule: made ? explainRule(made) : null,
    changes: explainChanges(held, made),
    routes,
    silences,
    inhibitions,
    next: due,
  };
}

/** An alert as a rule of ours made it. */
interface Made {
  readonly group: GroupView;
  readonly rule: RuleView;
  readonly alert: ActiveAlert;
}

/** One that is there rather than one that is over, where two rules make the same. */
function findMade(groups: readonly GroupView[], fingerprint: string): Made | undefined {
  let over: Made | undefined;
  for (const group of groups) {
    for (const rule of group.rules) {
      for (const alert of rule.state?.alerts ?? []) {
        if (fingerprintLabels(labelSet(alert.labels.labels)) !== fingerprint) continue;
        if (alert.phase !== 'inactive') return { group, rule, alert };
        over ??= { group, rule, alert };
      }
    }
  }
  return over;
}

function stateOf(nowMs: number, held: ReceivedAlert | undefined, made: Made | undefined, holding: number): Explanation['state'] {
  const fires = held ? !isResolved(held, nowMs) : made?.alert.phase === 'firing';
  if (!fires) return made?.alert.phase === 'pending' ? 'pending' : 'resolved';
  return holding > 0 ? 'suppressed' : 'active';
}

function endOf(held: ReceivedAlert | undefined, made: Made | undefined): string | null {
  const endMs = held ? held.endsAtMs : made?.alert.resolvedAtMs;
  return endMs !== undefined && Number.isFinite(endMs) ? isoTime(endMs) : null;
}

function sayState(
  labels: LabelSet,
  state: Explanation['state'],
  silences: readonly SilenceExplained[],
  inhibitions: readonly InhibitionExplained[],
): string {
  const name = formatLabels(labels);
  if (state === 'pending') return `${name} is pending: nobody is told before it has been there for as long as its rule asks.`;
  if (state === 'resolved') return `${name} is over.`;
  if (state === 'active') return `${name} fires, and nothing holds it back but the times of its routes.`;
  const by = [
    silences.length > 0 ? `${silences.length} silence${silences.length > 1 ? 's' : ''}` : '',
    inhibitions.length > 0 ? 'another alert' : '',
  ].filter(Boolean);
  return `${name} fires, and is held back by ${by.join(' and ')}.`;
}

function explainRule({ group, rule, alert }: Made): RuleExplained {
  const { namespace, pointer } = group;
  const { name, expr } = rule.rule;
  const lastError = rule.state?.error ?? '';
  const failed = lastError === '' ? '' : ` Its last evaluation failed: ${lastError}`;
  return {
    namespace,
    group: group.group.name,
    name,
    expr,
    value: String(alert.value),
    lastEvaluation: pointer ? isoTime(pointer.evaluatedAtMs) : null,
    lastError,
    sentence: `The rule ${name} of the group ${group.group.name} in ${namespace} made it, whose expression is ${expr} and was last ${alert.value}.${failed}`,
  };
}

function explainChanges(held: ReceivedAlert | undefined, made: Made | undefined): ChangeExplained[] {
  const changes: ChangeExplained[] = [];
  const add = (what: ChangeExplained['what'], atMs: number | undefined, say: (at: string) => string) => {
    if (atMs !== undefined) changes.push({ what, at: isoTime(atMs), sentence: say(isoTime(atMs)) });
  };
  const alert = made?.alert;
  add('became active', alert?.activeAtMs, (at) => `Its series was first there at ${at}.`);
  add('fired', alert ? alert.firedAtMs : held?.startsAtMs, (at) => `It fires since ${at}.`);
  add('kept firing', alert?.keepFiringSinceMs, (at) => `Its series is gone since ${at}; keep_firing_for lets it fire on.`);
  add('resolved', alert?.resolvedAtMs, (at) => `It was resolved at ${at}.`);
  add('was last told of', held?.updatedAtMs, (at) => `Whoever makes it last told of it at ${at}.`);
  return changes;
}

function explainSilences(view: AlertView, labels: LabelSet): SilenceExplained[] {
  return view.silencedBy(labels).flatMap((id) => {
    const silence = view.silences.get(id);
    if (!silence) return [];
    const { matcherSets, createdBy, comment, endsAtMs } = silence;
    const endsAt = isoTime(endsAtMs);
    const matchers = matcherSets.map(formatMatchers).join(' or ');
    const sentence = `The silence ${id} of ${createdBy} holds what matches ${matchers} back until ${endsAt}: ${comment}`;
    return [{ id, matchers: matcherSets.flat().map(encodeMatcher), createdBy, comment, endsAt, sentence }];
  });
}

function explainInhibitions(view: AlertView, labels: LabelSet): InhibitionExplained[] {
  const found = view.inhibitedBy(labels);
  const rule = found && view.routing.inhibitRules[found.rule];
  if (!found || !rule) return [];
  const sourceLabels = view.alerts.get(found.source)?.labels ?? {};
  const equal = rule.equal.length > 0 ? `, and agree on ${rule.equal.join(', ')}` : '';
  const sentence = `While ${formatLabels(sourceLabels)} fires, alerts are held back that match ${formatMatchers(rule.targetMatchers)}${equal}.`;
  return [{ rule: found.rule, equal: rule.equal, sourceFingerprint: found.source, sourceLabels, sentence }];
}

function dueOf(nowMs: number, held: ReceivedAlert | undefined, made: Made | undefined): DueExplained[] {
  const { rule, alert } = made ?? {};
  if (rule && rule.rule.kind !== 'record' && alert?.phase === 'pending') {
    const at = isoTime(alert.activeAtMs + rule.rule.forMs);
    return [{ at, sentence: `It fires at the first evaluation from ${at} on, if its series stays.` }];
  }
  if (!held || isResolved(held, nowMs) || !Number.isFinite(held.endsAtMs)) return [];
  const at = isoTime(held.endsAtMs);
  return [{ at, sentence: `It counts as resolved from ${at} on, unless its sender tells of it again.` }];
}

function dueOfSilence({ id, endsAt }: SilenceExplained): DueExplained {
  return { at: endsAt, sentence: `The silence ${id} ends at ${endsAt}.` };
}

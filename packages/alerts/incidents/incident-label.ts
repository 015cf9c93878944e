import type { InhibitRule } from '#alerts/routing/inhibition.ts';
import type { LabelSet } from '#model/alert.ts';

/** The label by which an incident's alert, and while it is open its members, are known to inhibition. */
export const INCIDENT_LABEL = 'incident';

/** True where an inhibition looks at the label that only incidents give. */
export function asksForIncidents(rules: readonly InhibitRule[]): boolean {
  return rules.some(
    ({ equal, targetMatchers }) => equal.includes(INCIDENT_LABEL) || targetMatchers.some(({ name }) => name === INCIDENT_LABEL),
  );
}

/** Labels as inhibition sees them. */
export function withIncident(labels: LabelSet, incident: string | undefined): LabelSet {
  return incident === undefined ? labels : { ...labels, [INCIDENT_LABEL]: incident };
}

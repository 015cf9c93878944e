import { asksForIncidents, withIncident } from '#alerts/incidents/incident-label.ts';
import { readMemberships } from '#alerts/incidents/incident-store.ts';
import { fingerprintLabels } from '#alerts/routing/fingerprint.ts';
import { createInhibitor, type Inhibition } from '#alerts/routing/inhibition.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { createSilencer, type Silence } from '#alerts/routing/silence.ts';
import { isOpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { LabelSet } from '#model/alert.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { Table } from '#ports/table.ts';
import type { AlertBook } from './book.ts';
import { readBookPointer } from './book-pointer.ts';
import { openBook } from './dispatch.ts';
import { listWholeInbox, openEntry } from './inbox.ts';
import type { Routing } from './routing.ts';
import { readSilences } from './silence-store.ts';
import { takeAlerts } from './take-alerts.ts';

export interface AlertViewDeps {
  readonly table: Table;
  readonly blobs: Blobs;
  readonly now: Clock;
  readonly routing: (tenant: string) => Promise<Routing>;
}

/** What is known of a tenant's alerts at one time, those among them that no dispatch has seen yet. */
export interface AlertView {
  readonly nowMs: number;
  readonly book: AlertBook;
  /** By fingerprint; of the book, and of the inbox. */
  readonly alerts: ReadonlyMap<string, ReceivedAlert>;
  readonly silences: ReadonlyMap<string, Silence>;
  readonly routing: Routing;
  /** Ids of the silences that hold an alert of these labels back now. */
  readonly silencedBy: (labels: LabelSet) => string[];
  readonly inhibitedBy: (labels: LabelSet) => Inhibition | undefined;
}

const ATTEMPTS = 4;

/** Looks at a tenant's alerts as they stand. */
export async function viewAlerts(deps: AlertViewDeps, tenant: string): Promise<AlertView> {
  const { book, told } = await readHeld(deps, tenant);
  const nowMs = deps.now();
  const alerts = new Map(book.alerts);
  takeAlerts(alerts, told, nowMs);
  const [silences, routing] = [await readSilences(deps.table, tenant, nowMs), await deps.routing(tenant)];
  const incidents = asksForIncidents(routing.inhibitRules) ? await readMemberships(deps, tenant) : undefined;
  const inhibitor = createInhibitor(routing.inhibitRules, alerts.values(), nowMs);
  return {
    ...{ nowMs, book, alerts, silences, routing },
    silencedBy: createSilencer(silences.values(), nowMs),
    inhibitedBy: (labels) => inhibitor(incidents ? withIncident(labels, incidents.get(fingerprintLabels(labels))) : labels),
  };
}

/** The inbox before the book: what a dispatch takes meanwhile is then in both, which changes nothing, and never in neither. */
async function readHeld(deps: AlertViewDeps, tenant: string): Promise<{ book: AlertBook; told: ReceivedAlert[] }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const entries = await listWholeInbox(deps.table, tenant);
      const told = (await Promise.all(entries.map((entry) => openEntry(deps, entry)))).flatMap((alerts) => alerts ?? []);
      return { told, book: await openBook(deps, await readBookPointer(deps.table, tenant)) };
    } catch (error) {
      if (attempt === ATTEMPTS || !isOpsError(error, 'unavailable')) throw error; // replaced while it was read
    }
  }
}

import * as z from 'zod';
import { dispatchAlerts } from '#alerts/dispatch/dispatch.ts';
import { correlateAlerts, hasEvents } from '#alerts/incidents/correlate-alerts.ts';
import { readMemberships } from '#alerts/incidents/incident-store.ts';
import { announceDue } from '#alerts/wake-up.ts';
import { compileAlerting } from '#functions/alerting.ts';
import { alertTenants, correlateDeps } from '#functions/alerts-deps.ts';
import { onAlertsLambda } from '#functions/alerts-lambda.ts';
import { parseEvent } from '#functions/event.ts';
import type { OpsFunction } from '#functions/lambda.ts';
import { publishing } from '#functions/publishing.ts';
import { publishOutbox } from '#ports/outbox.ts';

/** The event "Alerts Received" names its tenant; by the clock it is everybody's turn. */
const Event = z.object({ detail: z.object({ tenant: z.string() }).optional() });

/**
 * Takes new alerts into the books, and decides who is told what. Incidents come first, so that one that holds its alerts back does so before
 * any of them is told; where they cannot be had, alerts are told all the same, and the failure after it.
 */
export const run: OpsFunction = async (deps, event) => {
  const { table, blobs, bus, now, newId, config, storage, remainingMs } = deps;
  const { detail } = parseEvent(Event, event);
  const routing = async (tenant: string) => (await compileAlerting(config)).routing(tenant);
  const isOthers = detail && storage.onlyTenant !== undefined && storage.onlyTenant !== detail.tenant;
  const tenants = detail && !isOthers ? [detail.tenant] : await alertTenants(deps);
  const failures: unknown[] = [];
  const orElse =
    <T>(none: T) =>
    (error: unknown): T => {
      failures.push(error);
      return none;
    };
  const correlated = await correlateAlerts(correlateDeps(deps), tenants).catch(orElse([]));
  const memberships = (tenant: string) => readMemberships({ table, blobs }, tenant).catch(orElse(new Map<string, string>()));
  const dispatched = await dispatchAlerts({ table, blobs, now, newId, remainingMs, routing, memberships }, tenants);
  deps.alertObserver?.dispatched(dispatched);
  const due = dispatched.filter(({ deliveries }) => deliveries > 0).map(({ tenant }) => tenant);
  await announceDue(deps, [...new Set(due)]);
  if (correlated.some(hasEvents) || dispatched.some(({ changes }) => changes > 0)) await publishOutbox({ table, bus }); // not in a minute, but now
  if (failures.length > 0) throw failures[0];
  return { correlated, dispatched };
};

export const handler = onAlertsLambda(run, publishing);

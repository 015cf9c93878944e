import { viewAlerts } from '#alerts/dispatch/alert-view.ts';
import { isResolved } from '#alerts/routing/flush.ts';
import { sloQueries, sloStatus } from '#alerts/slo/slo-status.ts';
import { OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import { createSafeHttp } from '#net/safe-http.ts';
import type { GatePorts } from '#releases/gates/gate-ports.ts';
import type { AdvanceDeps } from '#releases/run/run-deps.ts';
import { alertDomains } from './alert-domains.ts';
import type { FunctionDeps } from './deps.ts';
import { judgeDeps } from './judge-deps.ts';
import { startDeps } from './release-domains.ts';
import { trafficDrivers } from './traffic-drivers.ts';

/** Longer than any driver or judge takes that still works. */
const CALL_TIMEOUT_MS = MINUTE_MS;

/** What getting releases on is made of. */
export function advanceDeps(deps: FunctionDeps): AdvanceDeps {
  return {
    ...startDeps(deps),
    ...{ bounded, remainingMs: deps.remainingMs },
    drivers: trafficDrivers(deps),
    analyze: judgeDeps(deps).analyze,
    outgoing: createSafeHttp({ allowPrivate: deps.allowPrivateTargets }),
    gates: gatePorts(deps),
  };
}

async function bounded<T>(call: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new OpsError('unavailable', `there was no answer within ${CALL_TIMEOUT_MS / 1_000} s`)),
    CALL_TIMEOUT_MS,
  );
  try {
    return await Promise.race([call, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What gates ask of alerting. */
export function gatePorts(deps: FunctionDeps): GatePorts {
  const domains = alertDomains(deps);
  return {
    async firingAlerts(tenant, labels) {
      const view = await viewAlerts(domains, tenant);
      const isMeant = (own: Readonly<Record<string, string>>) => Object.entries(labels).every(([name, value]) => own[name] === value);
      return [...view.alerts.values()]
        .filter((alert) => !isResolved(alert, view.nowMs) && isMeant(alert.labels))
        .filter((alert) => view.silencedBy(alert.labels).length === 0 && view.inhibitedBy(alert.labels) === undefined)
        .map((alert) => ({ name: alert.labels.alertname ?? 'an alert without a name', labels: alert.labels }));
    },
    async sloBudget(tenant, slo) {
      const found = (await domains.slos(tenant)).find((each) => each.slo.id === slo);
      if (!found) throw new OpsError('missing', `there is no SLO ${slo}`);
      const query = domains.openQuery(tenant);
      const ask = async (expr: string) => (await query.instant({ tenant, expr, atMs: deps.now() })).samples[0]?.value;
      const queries = sloQueries(found.slo, found.windows);
      const results = { currentErrorRatio: undefined, periodErrorRatio: await ask(queries.periodErrorRatio) };
      return sloStatus(found.slo, found.windows, results).budgetRemaining;
    },
  };
}

import { Hono } from 'hono';
import { type AlertView, viewAlerts } from '#alerts/dispatch/alert-view.ts';
import { postAlerts } from '#alerts/dispatch/post-alerts.ts';
import { isResolved } from '#alerts/routing/flush.ts';
import { groupAlerts } from '#alerts/routing/group.ts';
import { compileMatchers } from '#alerts/routing/matchers.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { routeAlert } from '#alerts/routing/route-tree.ts';
import { findTimeMuting } from '#alerts/routing/time-interval.ts';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { compareUtf8 } from '#core/text.ts';
import type { AlertDomains } from './alert-domains.ts';
import { answeringAlertmanager, isoTime, readFilter, readJson, readReceiver, readSwitch } from './alertmanager-answers.ts';
import { joinFaults, PostedAlerts, readPostedAlerts } from './posted-alerts.ts';

const PATH = '/alertmanager/api/v2/alerts';
const MAX_BYTES = 16 * 1024 * 1024;

/** GET alerts and alerts/groups of Alertmanager's API v2. */
export function alertRoutes(deps: AlertDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(PATH, (c) => answeringAlertmanager(c, async () => c.json(await listAlerts(deps, c))));
  app.get(`${PATH}/groups`, (c) => answeringAlertmanager(c, async () => c.json(await listGroups(deps, c))));
  return app;
}

/** POST alerts: whoever sends alerts is answered once they are stored, and told which of them were refused. */
export function postAlertRoutes(deps: AlertDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(PATH, (c) =>
    answeringAlertmanager(c, async () => {
      const tenant = c.get('tenant');
      const posted = await readJson(c, PostedAlerts, MAX_BYTES);
      const { config } = await deps.routing(tenant);
      const { alerts, faults } = readPostedAlerts(posted, deps.now(), config.global.resolve_timeout);
      const leftOut = await postAlerts(deps, tenant, alerts);
      if (alerts.length > leftOut) await announce(deps, tenant);
      if (leftOut > 0) throw new OpsError('limit', `there are as many alerts as this tenant may have, and ${leftOut} more were left out`);
      if (faults.length > 0) throw joinFaults(faults);
      return c.body(null, 200);
    }),
  );
  return app;
}

/** The alerts are stored, and the schedule takes them: that nobody could be told of it is no failure of the request. */
async function announce(deps: AlertDomains, tenant: string): Promise<void> {
  try {
    await deps.announce?.(tenant);
  } catch (error) {
    if (!isOpsError(error, 'unavailable')) throw error;
  }
}

/** An alert with all that is known of it. */
interface Shown extends ReceivedAlert {
  readonly fingerprint: string;
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
  readonly receivers: readonly string[];
}

async function listAlerts(deps: AlertDomains, c: ApiContext) {
  const isMeant = readReceiver(c);
  const { view, shown } = await findAlerts(deps, c);
  return shown
    .filter(({ receivers }) => receivers.some(isMeant))
    .sort((a, b) => compareUtf8(a.fingerprint, b.fingerprint))
    .map((alert) => toJson(view, alert, []));
}

async function listGroups(deps: AlertDomains, c: ApiContext) {
  const isMeant = readReceiver(c);
  const isMutedShown = readSwitch(c, 'muted');
  const { view, shown } = await findAlerts(deps, c);
  const { tree, timeIntervals } = view.routing;
  return groupAlerts(tree, shown)
    .filter(({ route }) => isMeant(route.options.receiver))
    .map((group) => ({ ...group, mutedBy: findTimeMuting(group.route.options, timeIntervals, view.nowMs) }))
    .filter(({ mutedBy }) => isMutedShown || !mutedBy.muted)
    .map(({ labels, route, alerts, mutedBy }) => ({
      alerts: alerts.map((alert) => toJson(view, { ...alert, receivers: alert.receivers.filter(isMeant) }, mutedBy.by)),
      labels,
      receiver: { name: route.options.receiver },
    }));
}

/**
 * The alerts that fire and that a request asks for. How one stands is found when it is asked for: none is ever `unprocessed`, and
 * that switch is of no effect.
 */
async function findAlerts(deps: AlertDomains, c: ApiContext): Promise<{ view: AlertView; shown: Shown[] }> {
  const matches = compileMatchers(readFilter(c));
  const [active, silenced, inhibited] = ['active', 'silenced', 'inhibited'].map((name) => readSwitch(c, name)) as [
    boolean,
    boolean,
    boolean,
  ];
  const view = await viewAlerts(deps, c.get('tenant'));
  const shown: Shown[] = [];
  for (const [fingerprint, alert] of view.alerts) {
    if (isResolved(alert, view.nowMs) || !matches(alert.labels)) continue;
    const silencedBy = view.silencedBy(alert.labels);
    const source = view.inhibitedBy(alert.labels)?.source;
    const inhibitedBy = source === undefined ? [] : [source];
    if (silencedBy.length + inhibitedBy.length === 0 && !active) continue;
    if ((silencedBy.length > 0 && !silenced) || (inhibitedBy.length > 0 && !inhibited)) continue;
    const receivers = routeAlert(view.routing.tree, alert.labels).map(({ options }) => options.receiver);
    shown.push({ ...alert, fingerprint, silencedBy, inhibitedBy, receivers });
  }
  return { view, shown };
}

/** Alertmanager's GettableAlert. One of our own rules has no end while it fires: what is shown then is when it would have one if it were told of once. */
function toJson({ nowMs, routing }: AlertView, alert: Shown, mutedBy: readonly string[]) {
  const { annotations, endsAtMs, fingerprint, startsAtMs, updatedAtMs, generatorUrl, labels, silencedBy, inhibitedBy } = alert;
  const endMs = Number.isFinite(endsAtMs) ? endsAtMs : nowMs + routing.config.global.resolve_timeout;
  return {
    annotations,
    endsAt: isoTime(endMs),
    fingerprint,
    receivers: alert.receivers.map((name) => ({ name })),
    startsAt: isoTime(startsAtMs),
    status: { inhibitedBy, mutedBy, silencedBy, state: silencedBy.length + inhibitedBy.length > 0 ? 'suppressed' : 'active' },
    updatedAt: isoTime(updatedAtMs),
    ...(generatorUrl !== '' && { generatorURL: generatorUrl }),
    labels,
  };
}

import { Hono } from 'hono';
import type { Incident, Member } from '#alerts/incidents/incident.ts';
import { type IncidentReadDeps, listClosed, readIncident, readIncidents } from '#alerts/incidents/incident-store.ts';
import type { ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';

/** Alerts of one incident that are shown. */
const MAX_ALERTS = 1_000;
const MAX_PAGE = 100;

/**
 * GET /api/incidents: those that are open, and with `status=closed` those that are over, a page at a time; GET /api/incidents/{id}: one, with
 * its alerts, history and causes.
 */
export function incidentRoutes(deps: IncidentReadDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/api/incidents', async (c) => {
    const tenant = c.get('tenant');
    const status = c.req.query('status') ?? 'open';
    if (status === 'closed') {
      const page = { limit: readLimit(c.req.query('limit')), after: c.req.query('after') || undefined };
      const { incidents, next } = await listClosed(deps.table, tenant, page);
      return c.json({ incidents: incidents.map(({ incident }) => summarize(incident)), next });
    }
    if (status !== 'open') throw new OpsError('input', `status: takes open or closed; got ${JSON.stringify(status.slice(0, 60))}`);
    const { state } = await readIncidents(deps, tenant);
    const open = state.clusters.flatMap(({ incident }) => (incident ? [incident] : []));
    return c.json({ incidents: open.sort((a, b) => (a.id < b.id ? 1 : -1)).map(summarize) });
  });
  app.get('/api/incidents/:id', async (c) => {
    const { incident, members } = await readIncident(deps, c.get('tenant'), c.req.param('id'));
    const shown = [...members].sort((a, b) => a.startsAtMs - b.startsAtMs).slice(0, MAX_ALERTS);
    const history = incident.history.map(({ atMs, ...entry }) => ({ at: isoTime(atMs), ...entry }));
    return c.json({
      ...summarize(incident),
      names: incident.names,
      history,
      members: shown.map(describeMember),
      truncatedMembers: incident.alerts - shown.length,
    });
  });
  return app;
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return MAX_PAGE;
  const limit = Number(text);
  if (/^\d{1,3}$/.test(text) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new OpsError('input', `limit: takes a whole number from 1 to ${MAX_PAGE}; got ${JSON.stringify(text.slice(0, 60))}`);
}

function summarize(incident: Incident) {
  const { id, status, title, severity, labels, openedAtMs, startedAtMs, closedAtMs, mergedInto, alerts, firing, causes } = incident;
  return {
    ...{ id, status, title, severity, labels },
    openedAt: isoTime(openedAtMs),
    startedAt: isoTime(startedAtMs),
    closedAt: closedAtMs === undefined ? undefined : isoTime(closedAtMs),
    ...{ mergedInto, alerts, firing },
    causes: causes.map(({ startsAtMs, ...cause }) => ({ ...cause, startsAt: isoTime(startsAtMs) })),
  };
}

function describeMember({ fingerprint, labels, startsAtMs, endedAtMs }: Member) {
  return { fingerprint, labels, startsAt: isoTime(startsAtMs), endedAt: endedAtMs === undefined ? undefined : isoTime(endedAtMs) };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

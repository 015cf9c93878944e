import { Hono } from 'hono';
import { sloQueries, sloStatus } from '#alerts/slo/slo-status.ts';
import type { SourcedSlo } from '#alerts/slo/sourced-slo.ts';
import type { ApiEnv } from '#api/api-env.ts';
import { mapConcurrent } from '#core/batch.ts';
import type { AlertDomains } from './alert-domains.ts';

const AT_ONCE = 4;

/** GET /api/slo: how every SLO of the tenant stands, by what its rules have recorded. */
export function sloRoutes(deps: Pick<AlertDomains, 'slos' | 'openQuery' | 'now'>): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/api/slo', async (c) => {
    const tenant = c.get('tenant');
    const ask = createAsk(deps, tenant, c.req.raw.signal);
    return c.json({ slos: await mapConcurrent(await deps.slos(tenant), AT_ONCE, (sourced) => statusJson(sourced, ask)) });
  });
  return app;
}

type Ask = (expr: string) => Promise<number | undefined>;

function createAsk({ openQuery, now }: Pick<AlertDomains, 'openQuery' | 'now'>, tenant: string, signal: AbortSignal): Ask {
  const query = openQuery(tenant);
  const atMs = now();
  return async (expr) => (await query.instant({ tenant, expr, atMs, signal })).samples[0]?.value;
}

async function statusJson({ file, slo, windows }: SourcedSlo, ask: Ask) {
  const queries = sloQueries(slo, windows);
  const currentErrorRatio = await ask(queries.currentErrorRatio);
  const periodErrorRatio = await ask(queries.periodErrorRatio);
  const status = sloStatus(slo, windows, { currentErrorRatio, periodErrorRatio });
  return {
    id: slo.id,
    service: slo.service,
    name: slo.name,
    description: slo.description,
    labels: slo.labels,
    file,
    objective: status.objective,
    errorBudget: status.errorBudget,
    periodSeconds: status.periodMs / 1_000,
    currentErrorRatio: finite(currentErrorRatio),
    periodErrorRatio: finite(periodErrorRatio),
    currentBurnRate: finite(status.currentBurnRate),
    periodBurnRate: finite(status.periodBurnRate),
    budgetRemaining: finite(status.budgetRemaining),
    exhaustion: exhaustionOf(status.exhaustedInMs),
    secondsToExhaustion: finite(status.exhaustedInMs === undefined ? undefined : status.exhaustedInMs / 1_000),
  };
}

/** JSON has no infinity: what it would be is null, as is what is not known. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function exhaustionOf(ms: number | undefined): 'unknown' | 'exhausted' | 'burning' | 'none' {
  if (ms === undefined) return 'unknown';
  if (ms === 0) return 'exhausted';
  return Number.isFinite(ms) ? 'burning' : 'none';
}

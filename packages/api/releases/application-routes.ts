import { Hono } from 'hono';
import type { ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import type { Application, Environment } from '#releases/application/application.ts';
import { readSlot } from '#releases/release/slot.ts';
import { listVersions } from '#releases/release/versions.ts';
import type { ReleaseDomains } from './release-domains.ts';

const MAX_VERSIONS = 100;

/** GET /api/applications and /api/applications/{name}: what is released here, how, and what has each environment. */
export function applicationRoutes(deps: ReleaseDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/api/applications', async (c) => {
    const tenant = c.get('tenant');
    const applications = await deps.applications(tenant);
    return c.json({ applications: await Promise.all(applications.map((each) => describeApplication(deps, tenant, each))) });
  });
  app.get('/api/applications/:name', async (c) => {
    const tenant = c.get('tenant');
    const name = c.req.param('name');
    const application = (await deps.applications(tenant)).find((each) => each.name === name);
    if (!application) throw new OpsError('missing', `there is no application ${JSON.stringify(name.slice(0, 100))}`);
    const versions = await listVersions(deps.table, { tenant, application: name }, MAX_VERSIONS);
    const known = versions.map(({ seenAtMs, ...version }) => ({ ...version, seenAt: new Date(seenAtMs).toISOString() }));
    return c.json({ ...(await describeApplication(deps, tenant, application)), versions: known });
  });
  return app;
}

async function describeApplication(deps: ReleaseDomains, tenant: string, application: Application) {
  const { name, repositories, service, refs, pipeline, environments } = application;
  return {
    ...{ name, repositories, service, refs, pipeline },
    environments: await Promise.all(environments.map((each) => describeEnvironment(deps, tenant, name, each))),
  };
}

async function describeEnvironment({ table }: ReleaseDomains, tenant: string, application: string, environment: Environment) {
  const { name, starts, requires, plan } = environment;
  const { active, queued, promoted } = await readSlot(table, { tenant, application, environment: name });
  return {
    ...{ name, starts, requires, strategy: plan.strategy, driver: plan.driver?.type },
    steps: plan.steps.map((step) => ({ name: step.name, weight: step.weight, pauseSeconds: step.pauseMs / 1_000 })),
    ...{ active, queued, promoted },
  };
}

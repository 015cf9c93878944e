import { Hono } from 'hono';
import * as z from 'zod';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { readJson } from '#api/read-json.ts';
import {
  type ActiveConfig,
  activateConfig,
  type ConfigPin,
  type EnvironmentPlace,
  listRevisions,
  readActive,
  readRevision,
  resolvePin,
} from '#releases/configuration/activate.ts';
import { diffConfigs } from '#releases/configuration/diff.ts';
import { BASE } from '#releases/configuration/document.ts';
import { observeConfig, readDrift } from '#releases/configuration/observe.ts';
import { findConfigProblems, findMissingSecrets, type ResolvedConfig } from '#releases/configuration/resolve.ts';
import { listLayers } from '#releases/configuration/versions.ts';
import type { ConfigurationDomains } from './configuration-domains.ts';
import { nameOf, placeOf, readNumber } from './layer-routes.ts';

const ENVIRONMENT = '/api/configurations/:application/environments/:environment';
const MAX_BYTES = 512 * 1024;
/** What a process tells is one item of the table, which holds 400 KB. */
const MAX_OBSERVED_BYTES = 256 * 1024;
const LISTED = 100;

const text = z.string().max(1_000).default('');

const Activation = z.strictObject({
  /** Versions of the two layers; default: the latest. */
  base: z.int().min(0).optional(),
  environment: z.int().min(0).optional(),
  expectedRevision: z.int().min(0),
  message: text,
  by: text,
});

const Return = z.strictObject({
  /** Default: the one before what is active. */
  revision: z.int().min(0).optional(),
  expectedRevision: z.int().min(1),
  message: text,
  by: text,
});

const Hash = z.string().regex(/^(?:[0-9a-f]{64}|set)$/, 'takes the SHA-256 of the value in hexadecimal, or set');
const Observed = z.strictObject({
  instance: z.string().regex(/^[\w.:-]{1,200}$/, 'takes 1 to 200 letters, digits and ._:-'),
  env: z.record(z.string().max(255), Hash).default({}),
  files: z.record(z.string().max(500), Hash).default({}),
});

/** GET what an environment runs with, what it would, what it did, and what processes say. */
export function environmentRoutes(deps: ConfigurationDomains): Hono<ApiEnv> {
  const { table } = deps;
  const app = new Hono<ApiEnv>();
  app.get(ENVIRONMENT, async (c) => {
    const place = environmentOf(c);
    const active = await readActive(table, place);
    return c.json({ active: activeJson(active), ...configJson(await resolvePin(table, place, active)) });
  });
  app.get(`${ENVIRONMENT}/plan`, async (c) => {
    const place = environmentOf(c);
    const pin = await pinOf(deps, place, { base: readNumber(c, 'base'), environment: readNumber(c, 'environment') });
    const [before, after] = [await resolvePin(table, place, await readActive(table, place)), await resolvePin(table, place, pin)];
    const missing = deps.running ? await findMissingSecrets(after, deps.running.hasSecret) : [];
    return c.json({ pin, changes: diffConfigs(before, after), problems: [...findConfigProblems(after), ...missing] });
  });
  app.get(`${ENVIRONMENT}/revisions`, async (c) =>
    c.json({ revisions: (await listRevisions(table, environmentOf(c), LISTED)).map(activeJson) }),
  );
  app.get(`${ENVIRONMENT}/drift`, async (c) => {
    const instances = await readDrift(deps, environmentOf(c));
    const told = instances.map(({ observedAtMs, ...rest }) => ({ ...rest, observedAt: new Date(observedAtMs).toISOString() }));
    return c.json({ instances: told, drifted: instances.filter(({ drifts }) => drifts.length > 0).length });
  });
  return app;
}

/** POST activations, and returns to what was active once. */
export function changeEnvironmentRoutes(deps: ConfigurationDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(`${ENVIRONMENT}/activate`, async (c) => {
    const place = environmentOf(c);
    const { base, environment, ...rest } = await readJson(c.req.raw, Activation, MAX_BYTES);
    const pin = await pinOf(deps, place, { base, environment });
    return c.json(activeJson(await activateAndTell(deps, { ...place, pin, ...rest })));
  });
  app.post(`${ENVIRONMENT}/rollback`, async (c) => {
    const place = environmentOf(c);
    const { revision, ...rest } = await readJson(c.req.raw, Return, MAX_BYTES);
    const { base, environment } = await readRevision(deps.table, place, revision ?? rest.expectedRevision - 1);
    return c.json(activeJson(await activateAndTell(deps, { ...place, pin: { base, environment }, ...rest })));
  });
  return app;
}

/** POST what a process runs with. */
export function observeRoutes(deps: ConfigurationDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(`${ENVIRONMENT}/observed`, async (c) => {
    await observeConfig(deps, environmentOf(c), await readJson(c.req.raw, Observed, MAX_OBSERVED_BYTES));
    return c.body(null, 204);
  });
  return app;
}

async function activateAndTell(deps: ConfigurationDomains, input: Parameters<typeof activateConfig>[1]): Promise<ActiveConfig> {
  const active = await activateConfig(deps, input);
  await deps.publish();
  return active;
}

async function pinOf(
  { table }: ConfigurationDomains,
  place: EnvironmentPlace,
  wanted: { readonly base?: number | undefined; readonly environment?: number | undefined },
): Promise<ConfigPin> {
  const latest = await listLayers(table, place);
  return {
    base: wanted.base ?? latest.get(BASE) ?? 0,
    environment: wanted.environment ?? latest.get(place.environment) ?? 0,
  };
}

function environmentOf(c: ApiContext): EnvironmentPlace {
  return { ...placeOf(c), environment: nameOf(c, 'environment') };
}

function activeJson({ atMs, release, ...rest }: ActiveConfig) {
  return { ...rest, release: release ?? null, at: atMs === 0 ? null : new Date(atMs).toISOString() };
}

function configJson(resolved: ResolvedConfig) {
  return {
    env: Object.fromEntries(resolved.env),
    files: Object.fromEntries(resolved.files),
    problems: findConfigProblems(resolved),
  };
}

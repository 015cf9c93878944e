import { Hono } from 'hono';
import * as z from 'zod';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { readJson } from '#api/read-json.ts';
import { OpsError } from '#core/errors.ts';
import { diffConfigs } from '#releases/configuration/diff.ts';
import { BASE, ConfigDocument, EMPTY_DOCUMENT } from '#releases/configuration/document.ts';
import { resolveConfig } from '#releases/configuration/resolve.ts';
import {
  type ConfigPlace,
  type ConfigVersion,
  listLayers,
  listVersions,
  readVersion,
  writeVersion,
} from '#releases/configuration/versions.ts';
import type { ConfigurationDomains } from './configuration-domains.ts';

const LAYERS = '/api/configurations/:application/layers';
const MAX_BYTES = 512 * 1024;
const LISTED = 100;

const Written = z.strictObject({
  document: ConfigDocument,
  /** The version that the document was made from; 0 for the first. */
  expected: z.int().min(0),
  message: z.string().max(1_000).default(''),
  by: z.string().max(200).default(''),
});

/** GET layers, their versions, and what changed between two of them. */
export function layerRoutes({ table }: ConfigurationDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(LAYERS, async (c) => c.json({ layers: Object.fromEntries(await listLayers(table, placeOf(c))) }));
  app.get(`${LAYERS}/:layer`, async (c) =>
    c.json(versionJson(await readVersion(table, placeOf(c), layerOf(c), readNumber(c, 'version')), true)),
  );
  app.get(`${LAYERS}/:layer/versions`, async (c) => {
    const versions = await listVersions(table, placeOf(c), layerOf(c), LISTED);
    return c.json({ versions: versions.map((version) => versionJson(version, false)) });
  });
  app.get(`${LAYERS}/:layer/diff`, async (c) => {
    const read = async (name: string) => {
      const { document, version } = await readVersion(table, placeOf(c), layerOf(c), readNumber(c, name));
      return { version, resolved: resolveConfig(document, layerOf(c), EMPTY_DOCUMENT) };
    };
    const [from, to] = [await read('from'), await read('to')];
    return c.json({ from: from.version, to: to.version, changes: diffConfigs(from.resolved, to.resolved) });
  });
  return app;
}

/** PUT a layer: a new version, with which nothing runs until it is activated. */
export function writeLayerRoutes(deps: ConfigurationDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.put(`${LAYERS}/:layer`, async (c) => {
    const written = await readJson(c.req.raw, Written, MAX_BYTES);
    return c.json(versionJson(await writeVersion(deps, { ...placeOf(c), layer: layerOf(c), ...written }), false));
  });
  return app;
}

const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;

/** The application that a path names; `input` for a name that none can have. */
export function placeOf(c: ApiContext): ConfigPlace {
  return { tenant: c.get('tenant'), application: nameOf(c, 'application') };
}

/** A name in the path. */
export function nameOf(c: ApiContext, parameter: string): string {
  const name = c.req.param(parameter) ?? '';
  if (!NAME.test(name))
    throw new OpsError('input', `${parameter}: takes 1 to 100 letters, digits and ._- that begin with a letter or digit`);
  return name;
}

function layerOf(c: ApiContext): string {
  return nameOf(c, 'layer');
}

/** A version or revision among the parameters; undefined where it is left out. */
export function readNumber(c: ApiContext, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new OpsError('input', `${name}: takes the number of a version; got ${JSON.stringify(text.slice(0, 60))}`);
  return Number(text);
}

function versionJson({ layer, version, by, message, atMs, document }: ConfigVersion, isWhole: boolean) {
  const at = atMs === 0 ? null : new Date(atMs).toISOString();
  return { layer, version, isBase: layer === BASE, by, message, at, ...(isWhole && { document }) };
}

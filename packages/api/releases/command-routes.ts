import { Hono } from 'hono';
import * as z from 'zod';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import { OpsError } from '#core/errors.ts';
import { COMMANDS } from '#releases/plan/command.ts';
import { readRelease } from '#releases/release/release-store.ts';
import { COMMIT_ID, COMMIT_RULE, VERSION_NAME, VERSION_RULE } from '#releases/release/version-name.ts';
import { commandRelease, findEnvironment } from '#releases/run/command-release.ts';
import { startRelease } from '#releases/run/start-release.ts';
import type { ReleaseDomains } from './release-domains.ts';
import { describeWhole } from './release-view.ts';

const MAX_BYTES = 64 * 1024;
const text = (most: number) => z.string().min(1).max(most);

const PostedRelease = z.strictObject({
  application: text(200),
  environment: text(200),
  version: z.string().regex(VERSION_NAME, VERSION_RULE),
  commit: z.string().regex(COMMIT_ID, COMMIT_RULE).default(''),
  ref: text(400).optional(),
  artifactDigest: text(200).optional(),
  sbomUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional(),
  /** The same one starts one release; the header Idempotency-Key says the same. */
  delivery: text(200).optional(),
  /** Who wants it, as the caller says. */
  actor: text(200).optional(),
});

const PostedCommand = z.strictObject({
  actor: text(200).optional(),
  why: text(1_000).optional(),
  /** The step that is meant, from 1; at any other the command is refused. */
  step: z.int().min(1).optional(),
});

/** POST /api/releases: starts a release, or gives the one that the same request has started. */
export function startRoutes(deps: ReleaseDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post('/api/releases', async (c) => {
    const tenant = c.get('tenant');
    const { delivery, actor = 'the API', ...posted } = await readPosted(c, PostedRelease);
    const key = delivery ?? readKey(c) ?? deps.newId();
    const { plan } = await findEnvironment(deps, tenant, posted.application, posted.environment);
    const started = await startRelease(deps, { tenant, ...posted, actor, delivery: `api:${key}` }, plan);
    await deps.announceRelease(tenant, started.id);
    const { release } = await readRelease(deps.table, tenant, started.id);
    return c.json(describeWhole(release, deps.now()), started.isNew ? 201 : 200);
  });
  return app;
}

function readKey(c: ApiContext): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined || (key.length > 0 && key.length <= 200)) return key;
  throw new OpsError('input', 'Idempotency-Key: takes 1 to 200 characters');
}

/** POST /api/releases/{id}/{command}. What is so already is no error, so that a command may be sent again. */
export function commandRoutes(deps: ReleaseDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  for (const command of COMMANDS) {
    app.post(`/api/releases/:id/${command}`, async (c) => {
      const tenant = c.get('tenant');
      const { actor = 'the API', why, step } = await readPosted(c, PostedCommand);
      const release = await commandRelease(deps, tenant, c.req.param('id'), { command, actor, why, step });
      await deps.announceRelease(tenant, release.id);
      return c.json(describeWhole(release, deps.now()));
    });
  }
  return app;
}

/** An empty body is an empty object. */
async function readPosted<T extends z.ZodType>(c: ApiContext, schema: T): Promise<z.infer<T>> {
  const bytes = await readBody(c.req.raw, MAX_BYTES);
  let value: unknown;
  try {
    value = bytes.length === 0 ? {} : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new OpsError('input', 'the body is no JSON', { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OpsError('input', `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'is not as it has to be'}`);
}

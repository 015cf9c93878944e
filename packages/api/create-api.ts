import { Hono } from 'hono';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { ApiContext, ApiEnv } from './api-env.ts';
import { type Authenticate, authorize, type Scope } from './auth.ts';
import { errorBody, statusOf } from './http-errors.ts';

export interface ApiDeps {
  readonly authenticate: Authenticate;
  readonly newId: () => string;
  /** Told of every answer: method, route pattern, status, seconds. */
  readonly observe: (request: { method: string; route: string; status: number; seconds: number }) => void;
  /** Told of defects: anything thrown that is no OpsError. */
  readonly report: (error: unknown, requestId: string) => void;
  readonly now: () => number;
}

/** Routes that need one scope. */
export interface RouteGroup {
  readonly scope: Scope | 'open';
  readonly routes: Hono<ApiEnv>;
}

/** The whole HTTP surface: each group behind its scope, errors in one form, every request counted. */
export function createApi(deps: ApiDeps, groups: readonly RouteGroup[]): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.use(async (c, next) => {
    const startMs = deps.now();
    c.set('requestId', deps.newId());
    await next();
    c.header('x-request-id', c.get('requestId'));
    deps.observe({ method: c.req.method, route: routeOf(c), status: c.res.status, seconds: (deps.now() - startMs) / 1000 });
  });
  for (const { scope, routes } of groups) {
    for (const route of routes.routes) {
      if (scope !== 'open') app.on(route.method, route.path, (c, next) => guard(deps.authenticate, scope, c, next));
      app.on(route.method, route.path, route.handler);
    }
  }
  app.onError((error, c) => answerError(deps, error, c));
  app.notFound((c) =>
    answerError(
      deps,
      new OpsError('missing', `there is nothing at ${c.req.method} ${c.req.path}`, { hint: 'GET / lists what there is.' }),
      c,
    ),
  );
  return app;
}

async function guard(authenticate: Authenticate, scope: Scope, c: ApiContext, next: () => Promise<void>): Promise<Response | undefined> {
  const tenant = await authorize(authenticate, c.req.raw.headers, scope);
  if (tenant === undefined) {
    const error = new OpsError('denied', 'a token is required, and none that is known here was given', {
      hint: 'Send Authorization: Bearer <token>, or Basic with the token as the password.',
    });
    return c.json(errorBody(error, c.get('requestId')), 401, { 'www-authenticate': 'Bearer, Basic realm="quarterdeck"' });
  }
  c.set('tenant', tenant);
  await next();
  return undefined;
}

function answerError(deps: ApiDeps, error: Error, c: ApiContext): Response {
  const requestId = c.get('requestId');
  if (!isOpsError(error)) {
    deps.report(error, requestId);
    return c.json({ error: { kind: 'internal', message: 'something went wrong here', requestId } }, 500);
  }
  const headers: Record<string, string> = {};
  if (error.retryAfterMs !== undefined || error.kind === 'unavailable')
    headers['retry-after'] = String(Math.ceil((error.retryAfterMs ?? 1000) / 1000));
  return c.json(errorBody(error, requestId), statusOf[error.kind], headers);
}

function routeOf(c: ApiContext): string {
  return c.req.routePath === '/*' ? 'none' : c.req.routePath;
}

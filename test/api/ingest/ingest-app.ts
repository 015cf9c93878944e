import type { Hono } from 'hono';
import type { ApiEnv } from '#api/api-env.ts';
import { authenticateByTokens } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { createIngestApi, type IngestApi } from '#api/ingest/context.ts';
import type { IngestTenant } from '#ingest/ingest-samples.ts';
import { defaultIngestLimits } from '#ingest/limits.ts';
import type { AppendInput } from '#ports/sample-store.ts';

export interface IngestApp {
  readonly request: Hono<ApiEnv>['request'];
  /** What reached the store. */
  readonly appended: AppendInput[];
}

export interface IngestAppOptions {
  readonly now: () => number;
  readonly tenant?: Partial<IngestTenant>;
  /** Thrown by the store instead of taking anything. */
  readonly failure?: Error;
  readonly token?: string;
}

/** The API with these routes alone, over a store that remembers what it was given. */
export function createIngestApp(routesOf: (api: IngestApi) => Hono<ApiEnv>, { now, tenant, failure, token }: IngestAppOptions): IngestApp {
  const appended: AppendInput[] = [];
  let ids = 0;
  const newId = () => `id-${++ids}`;
  const settings: IngestTenant = { limits: defaultIngestLimits, pipeline: undefined, keepUtf8Names: false, ...tenant };
  const api = createIngestApi({
    store: {
      async append(input) {
        if (failure) throw failure;
        appended.push(input);
      },
    },
    metadata: { put: async () => {} },
    tenant: () => settings,
    observer: { samples() {}, rejected() {}, exemplars() {}, rule() {} },
    now,
    newId,
  });
  const tokens = token === undefined ? [] : [{ token, tenant: 'default', scopes: new Set(['ingest'] as const) }];
  const deps = { authenticate: authenticateByTokens(tokens), newId, now, observe() {}, report() {} };
  const app = createApi(deps, [{ scope: 'ingest', routes: routesOf(api) }]);
  return { request: app.request, appended };
}

import { Hono } from 'hono';
import type { ApiEnv } from '#api/api-env.ts';
import { answer } from './answers.ts';
import type { QueryApi } from './query-api.ts';
import { successJson } from './response.ts';

/**
 * What clients of Prometheus ask beside queries. Exemplars are not kept, so that list is empty.
 * buildinfo names no `features`: Grafana would take them for Mimir's.
 */
export function statusRoutes(api: QueryApi, prefix: string): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const fixed = (path: string, data: unknown) => app.get(`${prefix}/api/v1/${path}`, (c) => answer(c, successJson(data)));
  fixed('status/buildinfo', { version: api.version, revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '' });
  fixed('query_exemplars', []);
  app.post(`${prefix}/api/v1/query_exemplars`, (c) => answer(c, successJson([])));
  return app;
}

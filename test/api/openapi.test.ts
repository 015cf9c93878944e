import { describe, expect, it } from 'vitest';
import type { AlertDomains } from '#api/alerts/alert-domains.ts';
import { alertGroups } from '#api/alerts/groups.ts';
import { openApiRoutes } from '#api/openapi.ts';

interface Documented {
  readonly 'x-scope'?: string;
}

describe('the OpenAPI document', () => {
  it('has every route of alerting with its scope, and none that there is not', async () => {
    const { paths } = (await (await openApiRoutes().request('/api/openapi.json')).json()) as {
      paths: Record<string, Record<string, Documented>>;
    };
    const there = alertGroups({} as AlertDomains).flatMap(({ scope, routes }) =>
      routes.routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')} ${scope}`),
    );
    const isOfAlerts = (path: string) =>
      /^\/(alertmanager|api\/(alerts|slo|detectors|incidents)|prometheus\/config)|\/api\/v1\/(rules|alerts)$/.test(path);
    const documented = Object.entries(paths)
      .filter(([path]) => isOfAlerts(path))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => `${method.toUpperCase()} ${path} ${operation['x-scope'] ?? 'open'}`),
      );
    expect(documented.sort()).toEqual([...new Set(there)].sort());
  });
});

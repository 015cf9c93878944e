import { authenticateByTokens, type Scope } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { releaseGroups } from '#api/releases/groups.ts';
import { createWorld, shop } from '#test/releases/run/release-world.ts';

const strategy = 'strategy: { canary: { steps: [{ weight: 10, pause: 5m, after: [{ approval: {} }, { alerts: {} }] }] } }';

/** What the API answers, as far as tests look into it. */
interface Answer {
  readonly [field: string]: unknown;
  readonly id: string;
  readonly error: { readonly message: string };
  readonly next?: string;
  readonly releases: readonly { readonly version: string; readonly state: string }[];
  readonly applications: readonly unknown[];
  readonly plan: readonly { readonly state: string }[];
  readonly history: readonly { readonly number: number }[];
  readonly approvals: readonly unknown[];
  readonly environments: readonly unknown[];
}

/** The routes of releases over memory, for tenants default and b: `all` may do everything, `query` only that, `b` everything as b. */
export function createReleaseApp() {
  const world = createWorld({ applications: [shop(strategy)] });
  const announced: string[] = [];
  const domains = {
    ...world.deps,
    applications: async (tenant: string) => (tenant === 'default' ? world.deps.applications(tenant) : []),
    announceRelease: async (tenant: string, id: string) => void announced.push(`${tenant}/${id}`),
  };
  const grant = (token: string, tenant: string, ...scopes: Scope[]) => ({ token, tenant, scopes: new Set(scopes) });
  const tokens = [
    grant('all', 'default', 'ingest', 'query', 'admin'),
    grant('query', 'default', 'query'),
    grant('b', 'b', 'query', 'admin'),
  ];
  const report = (error: unknown) => {
    throw error;
  };
  const app = createApi(
    { authenticate: authenticateByTokens(tokens), newId: world.deps.newId, now: world.deps.now, observe() {}, report },
    releaseGroups(domains),
  );
  const ask = async (method: string, path: string, body?: unknown, token = 'all', headers: Record<string, string> = {}) => {
    const sent = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const response = await app.request(`http://here.example${path}`, {
      method,
      body: sent,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  return { ...world, app, ask, announced };
}

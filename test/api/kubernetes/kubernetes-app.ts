import { authenticateByTokens, type Scope } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { kubernetesGroups } from '#api/kubernetes/groups.ts';
import type { KubernetesDeps } from '#api/kubernetes/kubernetes-deps.ts';
import { OpsError } from '#core/errors.ts';
import type { Verdict } from '#model/judgement.ts';
import type { Table } from '#ports/table.ts';
import type { MeasureRequest } from '#releases/kubernetes/analyses.ts';
import type { GateAnswer, GateQuestion } from '#releases/kubernetes/gates.ts';
import { createRolloutWorld, judgement } from '#test/releases/kubernetes/rollout-world.ts';

export interface KubernetesAppOptions {
  /** What the analysis says, by look; an error is thrown. */
  readonly script?: readonly (Verdict | Error)[];
  /** What gates say; an error is thrown. */
  readonly gates?: GateAnswer | Error;
  readonly wrapTable?: (table: Table) => Table;
}

export interface KubernetesAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** The routes over memory, for tenants a and b, each with an application `shop` and its analysis `golden`: `query-a` may only query as a, ... */
export function createKubernetesApp({ script, gates = { isOpen: true, reasons: [] }, wrapTable }: KubernetesAppOptions = {}) {
  const world = createRolloutWorld(script);
  const questions: GateQuestion[] = [];
  const measured: MeasureRequest[] = [];
  const deps: KubernetesDeps = {
    ...world.deps,
    table: wrapTable?.(world.table) ?? world.table,
    async findAnalysis({ application, analysis }) {
      if (application === 'shop' && analysis === 'golden') return { named: analysis };
      throw new OpsError('missing', `${application} has no analysis ${analysis}`);
    },
    async measureOnce(request) {
      measured.push(request);
      const word = script?.[0] ?? 'pass';
      if (word instanceof Error) throw word;
      return judgement(word, 1);
    },
    async askGates(question) {
      questions.push(question);
      if (gates instanceof Error) throw gates;
      return gates;
    },
  };
  const grants = (['a', 'b'] as const).flatMap((tenant) => [
    { token: `all-${tenant}`, tenant, scopes: new Set<Scope>(['ingest', 'query']) },
    ...(['ingest', 'query', 'admin'] as const).map((scope) => ({ token: `${scope}-${tenant}`, tenant, scopes: new Set<Scope>([scope]) })),
  ]);
  const defects: unknown[] = [];
  const report = (error: unknown) => void defects.push(error);
  const { now, newId } = world.deps;
  const groups = kubernetesGroups(deps);
  const app = createApi({ authenticate: authenticateByTokens(grants), newId, now, observe() {}, report }, groups);
  const send = async (path: string, init: RequestInit): Promise<KubernetesAnswer> => {
    const response = await app.request(`http://here.example${path}`, init);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  /** As Flagger's client: POST, JSON, and Basic from the address. */
  const flagger = (hook: string, body: unknown, token = 'all-a'): Promise<KubernetesAnswer> => {
    const credentials = Buffer.from(`${token.slice(-1)}:${token}`).toString('base64');
    return send(`/webhooks/flagger/${hook}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Basic ${credentials}`, 'user-agent': 'Go-http-client/2.0' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  };
  const argo = (query: string, body?: unknown, token = 'query-a'): Promise<KubernetesAnswer> =>
    send(`/webhooks/argo/measure${query}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return { ...world, questions, measured, defects, groups, app, send, flagger, argo };
}

/** What Flagger posts; `metadata` is left out where a webhook has none. */
export function flaggerPayload(metadata: Readonly<Record<string, string>> | undefined, more: object = {}) {
  return { name: 'podinfo', namespace: 'test', phase: 'Progressing', checksum: '85d557f47b', ...(metadata && { metadata }), ...more };
}

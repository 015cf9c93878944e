import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubernetesOperations } from '#api/kubernetes/operations.ts';
import { createKubernetesApp, flaggerPayload } from './kubernetes-app.ts';

interface Canary {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly analysis: {
      readonly interval: string;
      readonly webhooks: readonly {
        readonly name: string;
        readonly type: string;
        readonly url: string;
        readonly metadata?: Readonly<Record<string, string>>;
      }[];
    };
  };
}

interface AnalysisTemplate {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly args: readonly { readonly name: string }[];
    readonly metrics: readonly {
      readonly successCondition: string;
      readonly failureCondition: string;
      readonly provider: {
        readonly web: {
          readonly method?: string;
          readonly url: string;
          readonly headers: readonly { readonly key: string; readonly value: string }[];
          readonly jsonBody?: object;
          readonly jsonPath: string;
        };
      };
    }[];
  };
}

const docs = resolve(import.meta.dirname, '..', '..', '..', 'docs', 'releases');

function readManifests<T>(file: string): T[] {
  const documents = parseAllDocuments(readFileSync(resolve(docs, 'manifests', file), 'utf8'), { strict: true });
  if (!Array.isArray(documents)) throw new Error(`${file} is empty`);
  return documents.map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as T;
  });
}

const [canary] = readManifests<Canary>('flagger-canary.yaml');
const templates = readManifests<AnalysisTemplate>('argo-analysis-template.yaml');
const paths = new Set(kubernetesOperations.map(({ method, path }) => `${method} ${path}`));

/** The samples' names, as the application under test has them. */
const named = (text: string) => text.replaceAll('golden-signals', 'golden').replaceAll('"podinfo"', '"shop"');

describe('the Canary in the documentation', () => {
  const { webhooks, interval } = canary.spec.analysis;

  it('has each hook that Flagger has, once, at its path', () => {
    expect(canary.kind).toBe('Canary');
    const hooks = webhooks.map(({ type }) => `post /webhooks/flagger/${type}`);
    expect(new Set(hooks)).toEqual(new Set([...paths].filter((path) => path.includes('/flagger/'))));
    for (const { type, url } of webhooks) expect(new URL(url).pathname).toBe(`/webhooks/flagger/${type}`);
  });

  it.each(webhooks)('asks what is answered: $name', async ({ type, url, metadata }) => {
    const { flagger, asked } = createKubernetesApp({ script: ['pass'] });
    const { username, password } = new URL(url);
    expect([username, password]).toEqual(['default', 'TOKEN']);
    const payload = JSON.parse(named(JSON.stringify(flaggerPayload(metadata, { phase: 'Succeeded' })))) as object;
    const sent = { ...payload, ...canary.metadata };
    if (type === 'confirm-promotion') await flagger('rollout', { ...sent, metadata: { application: 'shop', analysis: 'golden' } });
    const told = await flagger(type, sent);
    expect([type, told.status]).toEqual([type, type === 'rollback' ? 412 : 200]);
    if (type === 'rollout') expect([metadata?.interval, asked[0].variables.region]).toEqual([interval, 'eu-central-1']);
  });
});

describe('the AnalysisTemplates in the documentation', () => {
  it.each(templates)('ask what is answered: $metadata.name', async ({ kind, spec: { args, metrics } }) => {
    expect(kind).toBe('AnalysisTemplate');
    for (const { provider, successCondition, failureCondition } of metrics) {
      const values: Readonly<Record<string, string>> = { application: 'shop', run: '6c9f', token: 'query-a' };
      const filled = JSON.stringify(provider.web).replaceAll(/\{\{args\.([a-z]+)\}\}/g, (_, arg: string) => {
        expect(args.map(({ name }) => name)).toContain(arg);
        return values[arg];
      });
      const web = JSON.parse(named(filled)) as typeof provider.web;
      const { pathname, search } = new URL(web.url);
      const method = web.method ?? 'GET';
      expect(paths).toContain(`${method.toLowerCase()} ${pathname}`);
      const headers = Object.fromEntries(web.headers.map(({ key, value }) => [key, value]));
      const { send } = createKubernetesApp({ script: ['pass'] });
      const body = web.jsonBody === undefined ? {} : { body: JSON.stringify(web.jsonBody) };
      const told = await send(`${pathname}${search}`, { method, headers, ...body });
      expect([told.status, told.text]).toEqual([200, expect.stringContaining('"verdict":"pass"')]);
      expect([successCondition, failureCondition].map((condition) => condition.includes('"pass"'))).toEqual([true, false]);
      expect(failureCondition).toContain('"fail"');
    }
  });
});

describe('the operations that are published', () => {
  it('are the routes that there are, under the same scopes', () => {
    const { groups } = createKubernetesApp();
    const routes = groups.flatMap(({ scope, routes: { routes } }) =>
      routes.map(({ method, path }) => `${method.toLowerCase()} ${path} ${scope}`),
    );
    expect(new Set(routes)).toEqual(new Set(kubernetesOperations.map(({ method, path, scope }) => `${method} ${path} ${scope}`)));
  });

  it('are in the documentation, with the fields they take', () => {
    const text = readFileSync(resolve(docs, 'kubernetes.md'), 'utf8');
    for (const { path, parameters = [] } of kubernetesOperations) {
      expect(text).toContain(path.startsWith('/webhooks/flagger/') ? `\`${path.slice('/webhooks/flagger/'.length)}\`` : path);
      for (const name of parameters.filter((one) => !one.startsWith('var.'))) expect(text).toContain(`\`${name.replace('!', '')}\``);
    }
  });
});

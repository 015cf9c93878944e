import { Hono } from 'hono';
import { stringify } from 'yaml';
import { describeClash } from '#alerts/ruler/ruler-groups.ts';
import { deleteStoredGroups, listStoredGroups, putStoredGroup, type StoredGroup } from '#alerts/ruler/stored-group.ts';
import { plainRuleGroup } from '#alerts/rules/plain-rule-group.ts';
import { formatRuleFileError, readRuleGroup } from '#alerts/rules/rule-file.ts';
import type { ApiContext, ApiEnv } from '#api/api-env.ts';
import { statusOf } from '#api/http-errors.ts';
import { readBody } from '#api/read-body.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { AlertDomains } from './alert-domains.ts';
import { RULE_CHECKS } from './rule-checks.ts';

const PATH = '/prometheus/config/v1/rules';
const MAX_BYTES = 1024 * 1024;
const YAML_TYPE = { 'content-type': 'application/yaml; charset=utf-8' };

/** What Mimir's ruler API answers to reads: groups as YAML, by namespace. Only what was written by API is there, not the files. */
export function rulerRoutes(deps: AlertDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(PATH, (c) => answering(c, async () => listed(c, await listStoredGroups(deps.table, c.get('tenant')))));
  app.get(`${PATH}/:namespace`, (c) =>
    answering(c, async () => {
      const groups = await listStoredGroups(deps.table, c.get('tenant'));
      return listed(
        c,
        groups.filter(({ namespace }) => namespace === c.req.param('namespace')),
      );
    }),
  );
  app.get(`${PATH}/:namespace/:group`, (c) =>
    answering(c, async () => {
      const { namespace, group } = c.req.param();
      const groups = await listStoredGroups(deps.table, c.get('tenant'));
      const found = groups.find((each) => each.namespace === namespace && each.name === group);
      if (!found) throw new OpsError('missing', 'group does not exist');
      return c.body(stringify(toPlain(found)[0], { lineWidth: 0 }), 200, YAML_TYPE);
    }),
  );
  return app;
}

/** What Mimir's ruler API takes: a group at a time. */
export function changeRulerRoutes(deps: AlertDomains): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(`${PATH}/:namespace`, (c) =>
    answering(c, async () => {
      const text = decode(await readBody(c.req.raw, MAX_BYTES));
      await putGroup(deps, c.get('tenant'), c.req.param('namespace'), text);
      return accepted(c);
    }),
  );
  app.delete(`${PATH}/:namespace`, (c) =>
    answering(c, async () => {
      if (!(await deleteStoredGroups(deps.table, c.get('tenant'), c.req.param('namespace'))))
        throw new OpsError('missing', 'no rule groups found');
      return accepted(c);
    }),
  );
  app.delete(`${PATH}/:namespace/:group`, (c) =>
    answering(c, async () => {
      const { namespace, group } = c.req.param();
      if (!(await deleteStoredGroups(deps.table, c.get('tenant'), namespace, group))) throw new OpsError('missing', 'group does not exist');
      return accepted(c);
    }),
  );
  return app;
}

async function putGroup(deps: AlertDomains, tenant: string, namespace: string, text: string): Promise<void> {
  const { groups, errors } = readRuleGroup(text, RULE_CHECKS);
  const [group] = groups;
  if (errors.length > 0 || !group) throw new OpsError('input', errors.map(formatRuleFileError).join('\n'));
  const files = await deps.fileGroups(tenant);
  if (files.some((file) => file.namespace === namespace && file.group.name === group.name))
    throw new OpsError('conflict', describeClash({ namespace, group }));
  await putStoredGroup(deps, tenant, { namespace, name: group.name, text });
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OpsError('input', 'the body is not UTF-8', { cause });
  }
}

/** Mimir answers 404 where there is nothing, which Grafana takes for an empty list. */
function listed(c: ApiContext, groups: readonly StoredGroup[]): Response {
  if (groups.length === 0) throw new OpsError('missing', 'no rule groups found');
  const byNamespace = new Map<string, unknown[]>();
  for (const group of groups) {
    const same = byNamespace.get(group.namespace);
    if (same) same.push(...toPlain(group));
    else byNamespace.set(group.namespace, toPlain(group));
  }
  return c.body(stringify(byNamespace, { lineWidth: 0 }), 200, YAML_TYPE);
}

/** One that does not read any more is left out, and /api/v1/rules says why. */
function toPlain({ text }: StoredGroup): Record<string, unknown>[] {
  return readRuleGroup(text, RULE_CHECKS).groups.map(plainRuleGroup);
}

function accepted(c: ApiContext): Response {
  return c.json({ status: 'success', data: null, errorType: '', error: '' }, 202);
}

/** Mimir's errors are plain text. */
async function answering(c: ApiContext, handle: () => Promise<Response>): Promise<Response> {
  try {
    return await handle();
  } catch (error) {
    if (!isOpsError(error)) throw error;
    return c.text(`${error.message}\n`, statusOf[error.kind], error.kind === 'unavailable' ? { 'retry-after': '1' } : {});
  }
}

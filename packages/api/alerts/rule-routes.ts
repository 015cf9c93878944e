import { Hono } from 'hono';
import { type GroupView, viewRules } from '#alerts/evaluate/rule-view.ts';
import type { ApiEnv } from '#api/api-env.ts';
import { answer, answering } from '#api/prometheus/answers.ts';
import { readForm } from '#api/prometheus/form.ts';
import { NO_NOTES, successJson } from '#api/prometheus/response.ts';
import type { AlertDomains } from './alert-domains.ts';
import { type RuleParams, readRuleParams, refuse, tokenOf } from './rule-params.ts';
import { activeAlerts, alertJson, groupJson, ruleJson } from './rules-json.ts';

/** What those routes are made of. */
export type RuleDomains = Pick<AlertDomains, 'table' | 'blobs' | 'ruleGroups'>;

/** rules and alerts of Prometheus' HTTP API, below a prefix: everything that is evaluated here, whoever wrote it. */
export function ruleRoutes(deps: RuleDomains, prefix: string): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get(`${prefix}/api/v1/rules`, (c) =>
    answering(c, async () => {
      const params = readRuleParams(await readForm(c.req.raw));
      const { groups, problems } = await deps.ruleGroups(c.get('tenant'));
      const page = pageOf(await viewRules(deps, c.get('tenant'), groups), params);
      return answer(c, successJson(page, { ...NO_NOTES, warnings: problems }));
    }),
  );
  app.get(`${prefix}/api/v1/alerts`, (c) =>
    answering(c, async () => {
      const { groups } = await deps.ruleGroups(c.get('tenant'));
      const views = await viewRules(deps, c.get('tenant'), groups);
      return answer(c, successJson({ alerts: views.flatMap(({ rules }) => rules.flatMap(activeAlerts)).map(alertJson) }));
    }),
  );
  return app;
}

/** The groups that have something of what is asked for, from the one that the token names, and a token where there are more. */
function pageOf(views: readonly GroupView[], params: RuleParams) {
  const start =
    params.nextToken === '' ? 0 : views.findIndex(({ namespace, group }) => tokenOf(namespace, group.name) === params.nextToken);
  if (start === -1) return refuse('group_next_token', `invalid group_next_token '${params.nextToken}'. were rule groups changed?`);
  const groups: ReturnType<typeof groupJson>[] = [];
  for (const view of views.slice(start)) {
    if (!params.isGroup(view.group.name) || !params.isFile(view.namespace)) continue;
    const rules = view.rules.filter(({ rule }) => isMeant(params, rule));
    if (rules.length === 0) continue;
    if (groups.length === params.limit) return { groups, groupNextToken: tokenOf(view.namespace, view.group.name) };
    groups.push(
      groupJson(
        view,
        rules.map((rule) => ruleJson(view, rule, params.withAlerts)),
      ),
    );
  }
  return { groups };
}

function isMeant({ kind, isRule, matches }: RuleParams, rule: GroupView['rules'][number]['rule']): boolean {
  return (kind === undefined || (rule.kind === 'record') === (kind === 'record')) && isRule(rule.name) && matches(rule.labels);
}

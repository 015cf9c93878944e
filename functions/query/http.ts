import { ruleGroups } from '#api/alerts/rule-groups.ts';
import { openApiRoutes } from '#api/openapi.ts';
import { queryGroups } from '#api/prometheus/groups.ts';
import { type StreamingRuntime, streamResponse, toRequest } from '#aws/function-url.ts';
import { tenantSettings } from '#config/load-config.ts';
import { respondOnLambda } from '#functions/http.ts';
import { ruleGroups as readRuleGroups } from '#functions/rule-groups.ts';

const CACHE_BYTES = 512 * 1024 * 1024;

const respond = respondOnLambda(
  ({ source, config, now, table, blobs }) => [
    ...ruleGroups({ table, blobs, ruleGroups: (tenant) => readRuleGroups({ table, config }, tenant) }),
    ...queryGroups({ source, now, queryLimits: (tenant) => tenantSettings(config, tenant).queryLimits }),
    { scope: 'open', routes: openApiRoutes() },
  ],
  { cacheBytes: CACHE_BYTES },
);

/** Everything that answers queries, behind a function URL that streams: an answer in one piece ends at 6 MB. */
export const handler = (globalThis as { awslambda?: StreamingRuntime }).awslambda?.streamifyResponse(async (event, stream) => {
  const runtime = (globalThis as { awslambda?: StreamingRuntime }).awslambda as StreamingRuntime;
  await streamResponse(runtime, stream, await respond(() => toRequest(event)));
});

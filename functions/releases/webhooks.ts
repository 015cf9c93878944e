import { webhookGroups } from '#api/webhooks/groups.ts';
import { toRequest, toUrlResult, type UrlEvent, type UrlResult } from '#aws/function-url.ts';
import { respondOnLambda } from '#functions/http.ts';
import { publishing } from '#functions/publishing.ts';
import { webhookDomains } from '#functions/webhook-domains.ts';

const respond = respondOnLambda((deps) => webhookGroups(webhookDomains(deps)), publishing);

/** Deliveries of CI systems, behind a function URL. */
export async function handler(event: UrlEvent): Promise<UrlResult> {
  return toUrlResult(await respond(() => toRequest(event)));
}

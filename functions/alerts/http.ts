import { alertGroups } from '#api/alerts/groups.ts';
import { toRequest, toUrlResult, type UrlEvent, type UrlResult } from '#aws/function-url.ts';
import { alertDomains } from '#functions/alert-domains.ts';
import { compileAlerting } from '#functions/alerting.ts';
import { respondOnLambda } from '#functions/http.ts';
import { loadWith } from '#functions/load-config.ts';
import { publishing } from '#functions/publishing.ts';

const respond = respondOnLambda((deps) => alertGroups(alertDomains(deps)), { ...publishing, load: loadWith(compileAlerting) });

/** Everything that is asked and told about alerts, behind a function URL. */
export async function handler(event: UrlEvent): Promise<UrlResult> {
  return toUrlResult(await respond(() => toRequest(event)));
}

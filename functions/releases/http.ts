import { releaseGroups } from '#api/releases/groups.ts';
import { toRequest, toUrlResult, type UrlEvent, type UrlResult } from '#aws/function-url.ts';
import { publishing } from '#functions/alerts-lambda.ts';
import { respondOnLambda } from '#functions/http.ts';
import { releaseDomains } from '#functions/release-domains.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';

const respond = respondOnLambda((deps) => releaseGroups(releaseDomains(deps)), { ...publishing, load: loadWholeConfig });

/** Everything that is asked and told about releases, behind a function URL. */
export async function handler(event: UrlEvent): Promise<UrlResult> {
  return toUrlResult(await respond(() => toRequest(event)));
}

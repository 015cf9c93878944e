import { flagGroups } from '#api/flags/groups.ts';
import { toRequest, toUrlResult, type UrlEvent, type UrlResult } from '#aws/function-url.ts';
import { flagDomains } from '#functions/flags-deps.ts';
import { respondOnLambda } from '#functions/http.ts';

const respond = respondOnLambda((deps) => flagGroups(flagDomains(deps)));

/** Evaluates flags by OFREP, and manages them, behind a function URL. */
export async function handler(event: UrlEvent): Promise<UrlResult> {
  return toUrlResult(await respond(() => toRequest(event)));
}

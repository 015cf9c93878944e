import { backupGroups } from '#api/backups/groups.ts';
import { toRequest, toUrlResult, type UrlEvent, type UrlResult } from '#aws/function-url.ts';
import { backupDomains } from '#functions/backup-domains.ts';
import { respondOnLambda } from '#functions/http.ts';
import { publishing } from '#functions/publishing.ts';
import { loadWholeConfig } from '#functions/whole-config.ts';

// Keys are made for tenants: whoever has one shares the installation.
const respond = respondOnLambda((deps) => backupGroups({ ...backupDomains(deps), isShared: true }), {
  ...publishing,
  load: loadWholeConfig,
});

/** Shows backups and starts them, behind a function URL. */
export async function handler(event: UrlEvent): Promise<UrlResult> {
  return toUrlResult(await respond(() => toRequest(event)));
}

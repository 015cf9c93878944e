import { OpsError } from '#core/errors.ts';

/**
 * Checks where a protection rule wants its answer: on the API that this installation answers to, at the rule of a run of the repository that
 * the delivery is of. An App's token is sent there, so nothing else will do. `input` says what is expected.
 */
export function checkCallback(callbackUrl: string, apiUrl: string, repository: string): void {
  const url = URL.parse(callbackUrl);
  const path = /^\/repos\/([^/]+\/[^/]+)\/actions\/runs\/\d{1,20}\/deployment_protection_rule$/.exec(
    url?.href.startsWith(`${apiUrl}/`) ? url.href.slice(apiUrl.length) : '',
  );
  if (path && path[1].toLowerCase() === repository.toLowerCase() && url?.href === callbackUrl) return;
  throw new OpsError(
    'input',
    `deployment_callback_url is not a protection rule of ${JSON.stringify(repository.slice(0, 200))} at ${apiUrl}`,
    {
      hint: 'QUARTERDECK_GITHUB_API names the API of a GitHub Enterprise Server: https://HOST/api/v3.',
    },
  );
}

import type { ReleaseSettings } from './release-targets.ts';

type Variables = Readonly<Record<string, $util.Input<string>>>;

/** Settings of each function that has secrets: none holds one that it has no use for. */
export interface ReleaseSecrets {
  /** Verify deliveries. */
  readonly webhooks: Variables;
  /** Answer providers. */
  readonly answer: Variables;
  /** Sign what goes to traffic webhooks. */
  readonly advance: Variables;
}

/** The secrets of releases, set by `npx sst secret set NAME`; one that is not set is empty, which is none. */
export function createReleaseSecrets({ githubApp, githubApi, gitlabApi }: ReleaseSettings): ReleaseSecrets {
  const secret = (name: string) => new sst.Secret(name, '').value;
  const ciSecret = secret('CiSecret');
  const app = {
    QUARTERDECK_GITHUB_APP_ID: githubApp?.id ?? '',
    QUARTERDECK_GITHUB_APP_TENANT: githubApp?.tenant ?? '',
    QUARTERDECK_GITHUB_API: githubApi ?? '',
  };
  return {
    webhooks: {
      ...app,
      QUARTERDECK_GITHUB_SECRET: secret('GithubSecret'),
      QUARTERDECK_GITLAB_TOKEN: secret('GitlabToken'),
      QUARTERDECK_CI_SECRET: ciSecret,
    },
    answer: {
      ...app,
      QUARTERDECK_GITHUB_APP_KEY: secret('GithubAppKey'),
      QUARTERDECK_GITLAB_API: gitlabApi ?? '',
      QUARTERDECK_GITLAB_API_TOKEN: secret('GitlabApiToken'),
    },
    advance: { QUARTERDECK_CI_SECRET: ciSecret },
  };
}

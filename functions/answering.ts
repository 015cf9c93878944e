import { readSettings, type Settings } from '#config/settings.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { createSafeHttp } from '#net/safe-http.ts';
import type { Outgoing } from '#ports/outgoing.ts';
import { answerGithub } from '#releases/ci/answer-github.ts';
import { answerGitlab } from '#releases/ci/answer-gitlab.ts';
import type { AnswerVerdict } from '#releases/ci/answer-verdict.ts';
import { createGithubTokens } from '#releases/ci/github-tokens.ts';
import type { Answer, AnswerKind } from '#releases/ci/plan-answers.ts';

/** How providers are answered. */
export interface Answering {
  readonly canAnswer: (tenant: string, kind: AnswerKind) => boolean;
  readonly send: (tenant: string, answer: Answer, attempts: number) => Promise<AnswerVerdict>;
}

type AnsweringSettings = Pick<Settings, 'githubApp' | 'githubApi' | 'gitlabApi' | 'gitlabApiTokens'>;

/**
 * Answers with what the settings hold. The App answers its own tenant's deliveries alone, and a token its tenant's: who knows another
 * tenant's webhook secret cannot have them speak.
 */
export function createAnswering(settings: AnsweringSettings, outgoing: Outgoing, now: Clock): Answering {
  const { githubApi, gitlabApi, gitlabApiTokens } = settings;
  const app = settings.githubApp && { ...settings.githubApp, privateKey: keyOf(settings.githubApp) };
  const tokens = app && createGithubTokens({ outgoing, now, apiUrl: githubApi, app: { id: app.id, privateKey: app.privateKey } });
  const gitlabToken = (tenant: string) => gitlabApiTokens.findLast((each) => each.tenant === tenant)?.secret;
  return {
    canAnswer: (tenant, kind) => (kind.startsWith('github') ? app?.tenant === tenant : gitlabToken(tenant) !== undefined),
    async send(tenant, answer, attempts) {
      if (answer.kind.startsWith('github')) {
        if (tokens === undefined || app?.tenant !== tenant) throw new OpsError('input', 'there is no GitHub App of this tenant any more');
        return answerGithub({ outgoing, now, apiUrl: githubApi, tokens }, answer, attempts);
      }
      const token = gitlabToken(tenant);
      if (token === undefined) throw new OpsError('input', 'there is no QUARTERDECK_GITLAB_API_TOKEN of this tenant any more');
      return answerGitlab({ outgoing, now, apiUrl: gitlabApi, token }, answer, attempts);
    },
  };
}

function keyOf({ privateKey }: NonNullable<Settings['githubApp']>): string {
  if (privateKey !== undefined) return privateKey;
  throw new OpsError('input', 'QUARTERDECK_GITHUB_APP_KEY: got nothing; QUARTERDECK_GITHUB_APP_ID takes it too');
}

let opened: Answering | undefined;

/** The process' own: tokens are kept as long as it lives. */
export function openAnswering(): Answering {
  if (opened) return opened;
  const settings = readSettings();
  // Tokens are made for the time that it is, whatever time a run is as of.
  opened = createAnswering(settings, createSafeHttp({ allowPrivate: settings.allowPrivateTargets }), Date.now);
  return opened;
}

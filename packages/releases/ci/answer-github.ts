import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Outgoing, OutgoingRequest, OutgoingResponse } from '#ports/outgoing.ts';
import { type AnswerVerdict, judgeAnswer } from './answer-verdict.ts';
import { checkCallback } from './github-callback.ts';
import { type GithubTokens, githubRequest, parseJson } from './github-tokens.ts';
import type { Answer } from './plan-answers.ts';
import { cut, linkOf } from './report-fields.ts';

export interface AnswerGithubDeps {
  readonly outgoing: Outgoing;
  readonly now: Clock;
  readonly apiUrl: string;
  readonly tokens: GithubTokens;
}

/** Characters that GitHub takes. */
const MAX_COMMENT = 1_024;
const MAX_DESCRIPTION = 140;

/**
 * Tells GitHub one answer, as the App. A token that is not taken is asked for anew once. A decision that may have arrived before, since an
 * earlier try did not end, is there where GitHub says that nothing is to be decided any more.
 */
export async function answerGithub(deps: AnswerGithubDeps, answer: Answer, attempts: number): Promise<AnswerVerdict> {
  const { installation } = answer.reply;
  if (!/^\d{1,20}$/.test(installation ?? '')) return { kind: 'refused', reason: 'the App is not installed where the delivery came from' };
  const { url, body } = composeGithub(answer, deps.apiUrl);
  for (let isSecond = false; ; isSecond = true) {
    const got = await deps.tokens.get(installation);
    if ('kind' in got) return got;
    const found = attempts > 1 ? await findTold(deps, answer, got.token) : undefined;
    if (found) return found;
    const response = await sendWithRedirect(deps, githubRequest(url, got.token, body));
    if (response.status === 401) deps.tokens.drop(installation, got.token);
    if (response.status === 401 && !isSecond) continue;
    const isDecided = answer.isDecision && attempts > 1 && (response.status === 422 || response.status === 409);
    return isDecided ? { kind: 'sent' } : judgeAnswer(response, deps.now());
  }
}

const Statuses = z.array(z.object({ state: z.string(), context: z.string().nullish(), description: z.string().nullish() }));

/**
 * `sent` where a status stands there already, by an earlier try whose answer got lost: the latest of its name says the same. An API that cannot
 * say so just now is not told either; one that may not be asked is told again.
 */
async function findTold(deps: AnswerGithubDeps, answer: Answer, token: string): Promise<AnswerVerdict | undefined> {
  const { kind, reply, commit } = answer;
  if (kind === 'github-rule') return undefined;
  const repository = `${deps.apiUrl}/repos/${repositoryPath(reply.repository)}`;
  const isDeployment = kind === 'github-deployment';
  const path = isDeployment ? `deployments/${numberIn(reply.deploymentId)}/statuses?per_page=1` : `commits/${commit}/statuses?per_page=100`;
  const response = await sendWithRedirect(deps, githubRequest(`${repository}/${path}`, token));
  const verdict = judgeAnswer(response, deps.now());
  if (verdict.kind === 'retry' && response.status !== 401) return verdict;
  const statuses = Statuses.safeParse(parseJson(response.body)).data;
  const latest = statuses?.find(({ context }) => isDeployment || context === answer.context);
  const isSame = latest?.state === answer.state && latest.description === cut(answer.text, MAX_DESCRIPTION);
  return isSame ? { kind: 'sent' } : undefined;
}

/** What is sent where. `input` for a reply that leads anywhere but to the API. */
function composeGithub(answer: Answer, apiUrl: string): { readonly url: string; readonly body: Readonly<Record<string, unknown>> } {
  const { kind, state, text, reply, context } = answer;
  const repository = repositoryPath(reply.repository);
  const link = linkOf(answer.url);
  switch (kind) {
    case 'github-rule': {
      checkCallback(reply.callbackUrl, apiUrl, reply.repository);
      const below = link && link.length <= MAX_COMMENT / 2 ? `\n\n${link}` : '';
      const comment = `${cut(escapeMarkdown(text), MAX_COMMENT - below.length)}${below}`;
      return { url: reply.callbackUrl, body: { environment_name: reply.environment, ...(state !== '' && { state }), comment } };
    }
    case 'github-deployment': {
      const url = `${apiUrl}/repos/${repository}/deployments/${numberIn(reply.deploymentId)}/statuses`;
      return { url, body: { state, description: cut(text, MAX_DESCRIPTION), ...(link && { log_url: link }) } };
    }
    case 'github-commit': {
      const url = `${apiUrl}/repos/${repository}/statuses/${answer.commit}`;
      return { url, body: { state, context, description: cut(text, MAX_DESCRIPTION), ...(link && { target_url: link }) } };
    }
    default:
      throw new OpsError('input', `${kind} is not told to GitHub`);
  }
}

/** A repository that was renamed is answered with where it is now: within the same API that is followed, once. */
async function sendWithRedirect({ outgoing, apiUrl }: AnswerGithubDeps, request: OutgoingRequest): Promise<OutgoingResponse> {
  const response = await outgoing.send(request);
  if (![301, 307, 308].includes(response.status)) return response;
  const target = URL.parse(response.headers.location ?? '', request.url);
  return target?.href.startsWith(`${apiUrl}/`) ? outgoing.send({ ...request, url: target.href }) : response;
}

function repositoryPath(repository: string | undefined): string {
  if (repository !== undefined && /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/.test(repository) && !/(^|\/)\.\.?($|\/)/.test(repository))
    return repository;
  throw new OpsError('input', 'the reply names no repository of GitHub');
}

function numberIn(text: string | undefined): string {
  if (/^\d{1,20}$/.test(text ?? '')) return text as string;
  throw new OpsError('input', 'the reply names no deployment of GitHub');
}

/** The words of others are no markup, and call nobody. */
function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_{}[\]()#+!<>|~]/g, '\\$&')
    .replaceAll('@', '@\u200b')
    .replace(/[\p{Cc}]+/gu, ' ');
}

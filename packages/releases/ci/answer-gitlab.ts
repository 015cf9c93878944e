import { OpsError } from '#core/errors.ts';
import { type Clock, SECOND_MS } from '#core/time.ts';
import type { Outgoing } from '#ports/outgoing.ts';
import { type AnswerVerdict, judgeAnswer } from './answer-verdict.ts';
import type { Answer } from './plan-answers.ts';
import { cut, linkOf } from './report-fields.ts';

export interface AnswerGitlabDeps {
  readonly outgoing: Outgoing;
  readonly now: Clock;
  readonly apiUrl: string;
  readonly token: string;
}

const MAX_DESCRIPTION = 255;

/**
 * Tells GitLab one answer. It refuses a commit status that would be what it is already, and a status check of a commit that is not the head
 * any more: both are told as well as they can be.
 */
export async function answerGitlab(deps: AnswerGitlabDeps, answer: Answer, attempts: number): Promise<AnswerVerdict> {
  const { path, body } = composeGitlab(answer);
  const response = await deps.outgoing.send({
    method: 'POST',
    url: `${deps.apiUrl}${path}`,
    headers: { 'content-type': 'application/json', 'private-token': deps.token, 'user-agent': 'quarterdeck' },
    body: JSON.stringify(body),
    timeoutMs: 10 * SECOND_MS,
    maxResponseBytes: 64 * 1024,
    followRedirects: false,
  });
  const { status } = response;
  if (answer.kind === 'gitlab-commit' && status === 400 && response.body.includes('Cannot transition status')) return { kind: 'sent' };
  if (answer.kind === 'gitlab-status-check' && status === 409) return { kind: 'sent' };
  if (answer.isDecision && attempts > 1 && (status === 400 || status === 409 || status === 422)) return { kind: 'sent' };
  return judgeAnswer(response, deps.now());
}

/** What is sent where. `input` for a reply that is none of ours. */
function composeGitlab({ kind, state, text, url, reply, context, commit }: Answer): {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
} {
  const project = `/projects/${numberIn(reply.project)}`;
  switch (kind) {
    case 'gitlab-status-check': {
      const path = `${project}/merge_requests/${numberIn(reply.mergeRequest)}/status_check_responses`;
      return { path, body: { sha: reply.sha, external_status_check_id: Number(numberIn(reply.statusCheck)), status: state } };
    }
    case 'gitlab-approval': {
      const path = `${project}/deployments/${numberIn(reply.deploymentId)}/approval`;
      return { path, body: { status: state, comment: cut(text, MAX_DESCRIPTION) } };
    }
    case 'gitlab-commit': {
      const link = linkOf(url);
      const body = { state, name: context, description: cut(text, MAX_DESCRIPTION) };
      return {
        path: `${project}/statuses/${commit}`,
        body: { ...body, ...(link && { target_url: link }), ...(reply.ref && { ref: reply.ref }) },
      };
    }
    default:
      throw new OpsError('input', `${kind} is not told to GitLab`);
  }
}

function numberIn(text: string | undefined): string {
  if (/^\d{1,15}$/.test(text ?? '')) return text as string;
  throw new OpsError('input', 'the reply lacks a number of GitLab');
}

import { createHash } from 'node:crypto';
import type { Phase, ReleaseEvent } from './release-event.ts';
import { cut } from './report-fields.ts';

/** What a provider is to be told at one place. */
export interface Answer {
  readonly kind: AnswerKind;
  /** Names the place: what is told there later takes the place of what was told before. */
  readonly lane: string;
  /** In the provider's words; '' for a protection rule that is told something without a decision. */
  readonly state: string;
  /** Decides something that cannot be decided again. */
  readonly isDecision: boolean;
  /** What happened, in words. */
  readonly text: string;
  readonly url: string | undefined;
  /** Name of a commit status. */
  readonly context: string;
  /** Commit of a status. */
  readonly commit: string;
  readonly reply: Readonly<Record<string, string>>;
}

export type AnswerKind =
  | 'github-rule'
  | 'github-deployment'
  | 'github-commit'
  | 'gitlab-status-check'
  | 'gitlab-approval'
  | 'gitlab-commit';

const githubDeployment: Readonly<Record<Phase, string>> = {
  waiting: 'queued',
  running: 'in_progress',
  succeeded: 'success',
  failed: 'failure',
  aborted: 'error',
};
const githubCommit: Readonly<Record<Phase, string>> = {
  waiting: 'pending',
  running: 'pending',
  succeeded: 'success',
  failed: 'failure',
  aborted: 'error',
};
const gitlabCommit: Readonly<Record<Phase, string>> = {
  waiting: 'pending',
  running: 'running',
  succeeded: 'success',
  failed: 'failed',
  aborted: 'canceled',
};

/** Where somebody waits for what we decide. */
const DECIDED: ReadonlySet<AnswerKind> = new Set(['github-rule', 'gitlab-approval', 'gitlab-status-check']);

/**
 * Everything that one event has to be told to whoever asked for the release, each place once. A deployment of somebody else's, a preview say,
 * gets no status of ours: only who waits for a decision gets that.
 */
export function planAnswers(event: ReleaseEvent, phase: Phase): Answer[] {
  const replies = [...(event.reply ? [event.reply] : []), ...(event.replies ?? [])];
  const planned = replies.flatMap((reply) => planReply(event, phase, reply));
  const answers = event.isConfigured === false ? planned.filter(({ kind }) => DECIDED.has(kind)) : planned;
  return [...new Map(answers.map((each) => [each.lane, each])).values()];
}

function planReply(event: ReleaseEvent, phase: Phase, reply: Reply): Answer[] {
  // A webhook that is not the App's names no installation, and GitHub could not be answered.
  if (reply.provider === 'github') return reply.installation ? planGithub(event, phase, reply) : [];
  return reply.provider === 'gitlab' ? planGitlab(event, phase, reply) : [];
}

type Reply = Readonly<Record<string, string>>;

/**
 * A promotion approves only what asked for that very environment: one on the way there decides nothing. What ends badly anywhere on the way
 * rejects.
 */
function decide({ decision, environment }: ReleaseEvent, phase: Phase, reply: Reply): 'approved' | 'rejected' | undefined {
  if (decision) return decision;
  if (phase === 'failed' || phase === 'aborted') return 'rejected';
  return phase === 'succeeded' && environment === reply.environment ? 'approved' : undefined;
}

function planGithub(event: ReleaseEvent, phase: Phase, reply: Reply): Answer[] {
  const answers: Answer[] = [];
  const isThere = event.environment === reply.environment;
  if (reply.callbackUrl) {
    const decision = decide(event, phase, reply);
    const place = [reply.callbackUrl, reply.environment, reply.rule];
    answers.push(answer(event, reply, 'github-rule', place, decision ?? '', decision !== undefined));
  }
  if (reply.deploymentId && isThere) {
    answers.push(answer(event, reply, 'github-deployment', [reply.repository, reply.deploymentId], githubDeployment[phase]));
  }
  return [...answers, ...planCommit(event, reply, 'github-commit', githubCommit[phase])];
}

function planGitlab(event: ReleaseEvent, phase: Phase, reply: Reply): Answer[] {
  const answers: Answer[] = [];
  const decision = decide(event, phase, reply);
  if (reply.statusCheck) {
    const state = decision === undefined ? 'pending' : decision === 'approved' ? 'passed' : 'failed';
    const place = [reply.project, reply.mergeRequest, reply.statusCheck, reply.sha];
    answers.push(answer(event, reply, 'gitlab-status-check', place, state));
  }
  if (reply.deploymentId && reply.approval && decision) {
    answers.push(answer(event, reply, 'gitlab-approval', [reply.project, reply.deploymentId], decision, true));
  }
  return [...answers, ...planCommit(event, reply, 'gitlab-commit', gitlabCommit[phase])];
}

function planCommit(event: ReleaseEvent, reply: Reply, kind: 'github-commit' | 'gitlab-commit', state: string): Answer[] {
  const commit = event.commit || reply.sha;
  if (!/^[0-9a-f]{40,64}$/.test(commit ?? '')) return [];
  return [answer(event, reply, kind, [reply.project ?? reply.repository, commit, contextOf(event)], state)];
}

/** Characters that both take. */
const MAX_CONTEXT = 255;

function contextOf({ application, environment }: ReleaseEvent): string {
  return cut(`quarterdeck/${application}/${environment}`, MAX_CONTEXT);
}

function answer(
  event: ReleaseEvent,
  reply: Reply,
  kind: AnswerKind,
  place: readonly (string | undefined)[],
  state: string,
  isDecision = false,
): Answer {
  const lane = createHash('sha256')
    .update(JSON.stringify([kind, ...place]))
    .digest('hex')
    .slice(0, 32);
  const { sentence: text, url } = event;
  return { kind, lane, state, isDecision, text, url, context: contextOf(event), commit: event.commit || (reply.sha ?? ''), reply };
}

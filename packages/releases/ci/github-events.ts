import type * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { checkCallback } from './github-callback.ts';
import {
  type App,
  CheckRun,
  type Deployment,
  DeploymentEvent,
  DeploymentStatus,
  type Person,
  ProtectionRule,
  Push,
  Release,
  WorkflowRun,
} from './github-payloads.ts';
import { ignored, isoTime, isZeroCommit, kindOfCheck, linkOf, type ReadEvent, readPayload, shortRef } from './report-fields.ts';

/** What the reading of GitHub's payloads depends on. */
export interface GithubContext {
  /** Of the API that is answered; protection rules may ask for their answer nowhere else. */
  readonly apiUrl: string;
  /** The App that answers, if there is one: what it did itself is no news. */
  readonly appId?: string | undefined;
}

type Read = (payload: unknown, context: GithubContext) => ReadEvent;

const readers: Readonly<Record<string, Read>> = {
  deployment_protection_rule: readProtectionRule,
  deployment: readDeployment,
  deployment_status: readDeploymentStatus,
  workflow_run: readWorkflowRun,
  check_run: readCheckRun,
  release: readRelease,
  push: readPush,
  ping: () => ignored('GitHub tries the webhook out: it works'),
};

/**
 * What an event of GitHub's says. The event's name comes in a header that is not signed, so it has to agree with the payload, which is:
 * otherwise an old deployment status, say, could be sent again as a deployment.
 */
export function readGithubEvent(event: string, payload: unknown, context: GithubContext): ReadEvent {
  const read = Object.hasOwn(readers, event) ? readers[event] : undefined;
  if (!read) return ignored(`the event ${JSON.stringify(event.slice(0, 60))} says nothing that releases wait for`);
  const actual = nameEvent(payload);
  if (event !== actual) throw new OpsError('input', `the payload is not one of the event ${event}`);
  return read(payload, context);
}

/** The event that a payload is of, by the fields that only it has. */
function nameEvent(payload: unknown): string | undefined {
  const has = (name: string) => typeof payload === 'object' && payload !== null && Object.hasOwn(payload, name);
  if (has('deployment_callback_url')) return 'deployment_protection_rule';
  if (has('deployment_status')) return 'deployment_status';
  if (has('workflow_job') || has('workflow_job_run') || has('workflow_job_runs')) return undefined;
  if (has('deployment')) return 'deployment';
  if (has('check_run')) return 'check_run';
  if (has('workflow_run')) return 'workflow_run';
  if (has('release')) return 'release';
  if (has('zen')) return 'ping';
  return has('pusher') && has('after') ? 'push' : undefined;
}

function readProtectionRule(payload: unknown, { apiUrl, appId }: GithubContext): ReadEvent {
  const { environment, deployment, deployment_callback_url: callbackUrl, ...event } = readPayload(ProtectionRule, payload);
  const { full_name: repository } = event.repository;
  checkCallback(callbackUrl, apiUrl, repository);
  const installation = event.installation?.id;
  const note =
    appId === undefined || installation === undefined
      ? 'nobody will answer this rule: QUARTERDECK_GITHUB_APP_ID, QUARTERDECK_GITHUB_APP_KEY and an installation of that App are needed'
      : undefined;
  return {
    kind: 'report',
    report: {
      ...deploymentFields(repository, deployment, event.sender),
      environment,
      reply: { ...replyTo(repository, deployment, installation), environment, callbackUrl, rule: String(deployment.id) },
    },
    note,
  };
}

function readDeployment(payload: unknown): ReadEvent {
  const { action, deployment, workflow_run: run, ...event } = readPayload(DeploymentEvent, payload);
  if (action !== 'created') return ignored(`a deployment was ${action}, not created`);
  const { full_name: repository } = event.repository;
  // Of a workflow's own deployments Actions itself says how they go.
  const deploymentId: Record<string, string> = run ? {} : { deploymentId: String(deployment.id) };
  return {
    kind: 'report',
    report: {
      ...deploymentFields(repository, deployment, event.sender),
      reply: { ...replyTo(repository, deployment, event.installation?.id), ...deploymentId },
    },
  };
}

function deploymentFields(repository: string, deployment: z.infer<typeof Deployment>, sender: z.infer<typeof Person>) {
  return {
    kind: 'release-requested' as const,
    repository,
    commit: deployment.sha,
    ref: shortRef(deployment.ref),
    environment: deployment.environment,
    actor: deployment.creator?.login ?? sender?.login,
    occurredAt: isoTime(deployment.created_at),
  };
}

function replyTo(repository: string, { sha, environment }: z.infer<typeof Deployment>, installation: number | undefined) {
  const common: Record<string, string> = { provider: 'github', repository, environment, sha };
  return installation === undefined ? common : { ...common, installation: String(installation) };
}

function readDeploymentStatus(payload: unknown, { appId }: GithubContext): ReadEvent {
  const { deployment, deployment_status: status, repository } = readPayload(DeploymentStatus, payload);
  if (isOwn(status.performed_via_github_app, appId)) return ignored('Quarterdeck itself gave this status');
  const state = deploymentStates[status.state];
  if (!state) return ignored(`the deployment is ${JSON.stringify(status.state.slice(0, 40))}, which is no result`);
  const environment = status.environment || deployment.environment;
  return {
    kind: 'report',
    report: {
      kind: 'check-reported',
      repository: repository.full_name,
      commit: deployment.sha,
      ref: shortRef(deployment.ref),
      environment,
      check: { name: `deployment to ${environment}`.slice(0, 200), kind: 'other', state, url: linkOf(status.log_url || status.target_url) },
      actor: status.creator?.login,
      occurredAt: isoTime(status.created_at),
    },
  };
}

type CheckState = 'pending' | 'success' | 'failure';

const deploymentStates: Readonly<Record<string, CheckState | undefined>> = {
  success: 'success',
  failure: 'failure',
  error: 'failure',
  in_progress: 'pending',
  pending: 'pending',
  queued: 'pending',
  waiting: 'pending',
};

/** Neutral is as good as success, as GitHub has it. What was skipped, or waits for somebody, has found nothing: it is no success. */
function stateOf(status: string | null | undefined, conclusion: string | null | undefined): CheckState {
  if (status !== 'completed' || !conclusion) return 'pending';
  if (conclusion === 'success' || conclusion === 'neutral') return 'success';
  return conclusion === 'skipped' || conclusion === 'stale' || conclusion === 'action_required' ? 'pending' : 'failure';
}

function readWorkflowRun(payload: unknown): ReadEvent {
  const { workflow_run: run, workflow, repository, sender } = readPayload(WorkflowRun, payload);
  // What runs there is a stranger's code, and so is its success.
  if (run.head_repository && run.head_repository.full_name !== repository.full_name) return ignored('the run is of a fork');
  const name = run.name || workflow?.name || run.path || 'workflow';
  return {
    kind: 'report',
    report: {
      kind: 'check-reported',
      repository: repository.full_name,
      commit: run.head_sha,
      ref: run.head_branch ? shortRef(run.head_branch) : undefined,
      check: {
        name: name.slice(0, 200),
        kind: kindOfCheck(name, run.path?.split('/').at(-1)),
        state: stateOf(run.status, run.conclusion),
        url: linkOf(run.html_url),
      },
      actor: run.triggering_actor?.login ?? run.actor?.login ?? sender?.login,
      occurredAt: isoTime(run.updated_at),
    },
  };
}

function readCheckRun(payload: unknown, { appId }: GithubContext): ReadEvent {
  const { action, check_run: check, repository, sender } = readPayload(CheckRun, payload);
  if (action !== 'created' && action !== 'completed') return ignored(`${action} asks the App that made the check for something`);
  if (isOwn(check.app, appId)) return ignored('Quarterdeck itself made this check');
  const branch = check.check_suite?.head_branch;
  return {
    kind: 'report',
    report: {
      kind: 'check-reported',
      repository: repository.full_name,
      commit: check.head_sha,
      ref: branch ? shortRef(branch) : undefined,
      check: {
        name: check.name.slice(0, 200),
        kind: kindOfCheck(check.name),
        state: stateOf(check.status, check.conclusion),
        url: linkOf(check.html_url || check.details_url),
      },
      actor: sender?.login,
      occurredAt: isoTime(check.completed_at ?? check.started_at),
    },
  };
}

function readRelease(payload: unknown): ReadEvent {
  const { action, release, repository, sender } = readPayload(Release, payload);
  if (action !== 'published' || release.draft) return ignored(`a release was ${action}; one is seen when it is published`);
  return {
    kind: 'report',
    report: {
      kind: 'version-seen',
      repository: repository.full_name,
      // GitHub names a branch here as a rule; of which commit the tag is, the push of the tag says.
      commit: /^[0-9a-f]{40,64}$/.test(release.target_commitish) ? release.target_commitish : '',
      ref: release.tag_name,
      version: release.tag_name,
      actor: release.author?.login ?? sender?.login,
      occurredAt: isoTime(release.published_at),
    },
  };
}

function readPush(payload: unknown): ReadEvent {
  const { ref, after, deleted, head_commit: head, repository, pusher, sender } = readPayload(Push, payload);
  if (deleted === true || isZeroCommit(after)) return ignored(`${shortRef(ref).slice(0, 200)} was deleted`);
  return {
    kind: 'report',
    report: {
      kind: 'version-seen',
      repository: repository.full_name,
      // Of an annotated tag `after` is the tag itself.
      commit: head?.id ?? after,
      ref: shortRef(ref),
      version: ref.startsWith('refs/tags/') ? shortRef(ref) : undefined,
      actor: pusher?.name ?? sender?.login,
      occurredAt: isoTime(repository.pushed_at) ?? isoTime(head?.timestamp),
    },
  };
}

function isOwn(app: z.infer<typeof App>, appId: string | undefined): boolean {
  return appId !== undefined && (String(app?.id) === appId || app?.client_id === appId);
}

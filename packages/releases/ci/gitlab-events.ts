import * as z from 'zod';
import { ignored, isoTime, isZeroCommit, kindOfCheck, linkOf, type ReadEvent, readPayload, shortRef } from './report-fields.ts';

const Project = z.object({ id: z.int(), path_with_namespace: z.string() });
const User = z.object({ username: z.string().nullish(), name: z.string().nullish() }).nullish();
const Named = z.object({ name: z.string() }).nullish();

const Pipeline = z.object({
  object_attributes: z.object({
    ref: z.string(),
    tag: z.boolean().optional(),
    sha: z.string(),
    status: z.string(),
    created_at: z.string().nullish(),
    finished_at: z.string().nullish(),
    url: z.string().nullish(),
    name: z.string().nullish(),
  }),
  merge_request: z.object({ source_project_id: z.int(), target_project_id: z.int() }).nullish(),
  user: User,
  project: Project,
});
const Job = z.object({
  ref: z.string(),
  sha: z.string(),
  build_id: z.int(),
  build_name: z.string().min(1),
  build_stage: z.string(),
  build_status: z.string(),
  build_created_at: z.string().nullish(),
  build_started_at: z.string().nullish(),
  build_finished_at: z.string().nullish(),
  environment: Named,
  user: User,
  project: Project,
});
const Deployment = z.object({
  status: z.string(),
  status_changed_at: z.string().nullish(),
  deployment_id: z.int(),
  deployable_url: z.string().nullish(),
  environment: z.string(),
  short_sha: z.string(),
  commit_url: z.string(),
  ref: z.string().nullish(),
  user: User,
  project: Project,
});
const MergeRequest = z.object({
  object_attributes: z.object({
    iid: z.int(),
    action: z.string().nullish(),
    state: z.string(),
    source_branch: z.string(),
    source_project_id: z.int(),
    target_project_id: z.int(),
    updated_at: z.string().nullish(),
    url: z.string().nullish(),
    last_commit: z.object({ id: z.string() }),
  }),
  external_approval_rule: z.object({ id: z.int(), name: z.string() }).nullish(),
  user: User,
  project: Project,
});
const Push = z.object({
  ref: z.string(),
  after: z.string(),
  checkout_sha: z.string().nullish(),
  user_username: z.string().nullish(),
  commits: z.array(z.object({ timestamp: z.string().nullish() })).nullish(),
  project: Project,
});
const Release = z.object({
  action: z.string(),
  tag: z.string(),
  released_at: z.string().nullish(),
  commit: z.object({ id: z.string() }),
  project: Project,
});

const readers: Readonly<Record<string, (payload: unknown) => ReadEvent>> = {
  pipeline: readPipeline,
  build: readJob,
  deployment: readDeployment,
  merge_request: readMergeRequest,
  push: readPush,
  tag_push: readPush,
  release: readRelease,
};

/** What an event of GitLab's says; its kind is in the payload. */
export function readGitlabEvent(payload: unknown): ReadEvent {
  const { object_kind: kind } = readPayload(z.object({ object_kind: z.string() }), payload);
  const read = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
  return read ? read(payload) : ignored(`the event ${JSON.stringify(kind.slice(0, 60))} says nothing that releases wait for`);
}

type CheckState = 'pending' | 'success' | 'failure';

/** What was skipped has found nothing: it is no success. */
function stateOf(status: string): CheckState {
  if (status === 'success') return 'success';
  return status === 'failed' || status === 'canceled' ? 'failure' : 'pending';
}

function nameOf(user: z.infer<typeof User>): string | undefined {
  return (user?.username || user?.name)?.slice(0, 200);
}

function readPipeline(payload: unknown): ReadEvent {
  const { object_attributes: pipeline, merge_request: request, user, project } = readPayload(Pipeline, payload);
  // What runs there is a stranger's code, and so is its success.
  if (request && request.source_project_id !== request.target_project_id) return ignored('the pipeline is of a fork');
  return {
    kind: 'report',
    report: {
      kind: 'check-reported',
      repository: project.path_with_namespace,
      commit: pipeline.sha,
      ref: shortRef(pipeline.ref),
      version: pipeline.tag ? pipeline.ref.slice(0, 200) : undefined,
      check: {
        name: (pipeline.name ? `pipeline ${pipeline.name}` : 'pipeline').slice(0, 200),
        kind: 'build',
        state: stateOf(pipeline.status),
        url: linkOf(pipeline.url),
      },
      actor: nameOf(user),
      occurredAt: isoTime(pipeline.finished_at ?? pipeline.created_at),
    },
  };
}

function readJob(payload: unknown): ReadEvent {
  const { project, user, environment, ...job } = readPayload(Job, payload);
  return {
    kind: 'report',
    report: {
      kind: 'check-reported',
      repository: project.path_with_namespace,
      commit: job.sha,
      ref: shortRef(job.ref),
      environment: environment?.name,
      check: { name: job.build_name.slice(0, 200), kind: kindOfCheck(job.build_name, job.build_stage), state: stateOf(job.build_status) },
      actor: nameOf(user),
      occurredAt: isoTime(job.build_finished_at ?? job.build_started_at ?? job.build_created_at),
    },
  };
}

/** A deployment asks when it is made, is blocked until somebody approves it, or starts: once, whichever of these comes first. */
function readDeployment(payload: unknown): ReadEvent {
  const { project, user, ...deployment } = readPayload(Deployment, payload);
  const { status, environment } = deployment;
  const commit = fullCommit(deployment.commit_url, deployment.short_sha);
  const shared = {
    repository: project.path_with_namespace,
    commit,
    ref: deployment.ref ? shortRef(deployment.ref) : undefined,
    environment,
    actor: nameOf(user),
    occurredAt: isoTime(deployment.status_changed_at),
  };
  if (status === 'skipped') return ignored('the deployment was skipped');
  if (status === 'success' || status === 'failed' || status === 'canceled') {
    const check = { name: `deployment to ${environment}`.slice(0, 200), kind: 'other' as const, state: stateOf(status) };
    return { kind: 'report', report: { kind: 'check-reported', ...shared, check: { ...check, url: linkOf(deployment.deployable_url) } } };
  }
  const reply = {
    ...{ provider: 'gitlab', repository: project.path_with_namespace, project: String(project.id), sha: commit, environment },
    ...{ ref: shared.ref ?? '', deploymentId: String(deployment.deployment_id) },
    // What is not blocked takes no approval.
    ...(status === 'blocked' && { approval: 'needed' }),
  };
  const subject = `deployment/${project.id}/${deployment.deployment_id}`;
  return { kind: 'report', report: { kind: 'release-requested', ...shared, reply }, subject };
}

/** The payload has the first digits alone; the address of the commit ends in all of them. */
function fullCommit(commitUrl: string, short: string): string {
  const last = commitUrl.split('/').at(-1) ?? '';
  return /^[0-9a-f]{40,64}$/.test(last) && last.startsWith(short) ? last : short;
}

/** A merge request is no release yet: its approval is a check of its commit, and an external status check a commit that is seen. */
function readMergeRequest(payload: unknown): ReadEvent {
  const { object_attributes: request, external_approval_rule: rule, user, project } = readPayload(MergeRequest, payload);
  const shared = {
    repository: project.path_with_namespace,
    commit: request.last_commit.id,
    ref: shortRef(request.source_branch),
    actor: nameOf(user),
    occurredAt: isoTime(request.updated_at),
  };
  if (rule) {
    if (request.state !== 'opened') return ignored(`the merge request is ${request.state}`);
    const reply = {
      ...{ provider: 'gitlab', repository: project.path_with_namespace, project: String(request.target_project_id) },
      ...{ sha: shared.commit, mergeRequest: String(request.iid), statusCheck: String(rule.id), environment: rule.name },
    };
    return { kind: 'report', report: { kind: 'version-seen', ...shared, environment: rule.name, reply }, canRepeat: true };
  }
  const isApproved = request.action === 'approved';
  if (!isApproved && request.action !== 'unapproved') return ignored('the merge request was neither approved nor unapproved');
  const check = { name: 'merge request approval', kind: 'other' as const, state: isApproved ? ('success' as const) : ('pending' as const) };
  return { kind: 'report', report: { kind: 'check-reported', ...shared, check: { ...check, url: linkOf(request.url) } } };
}

function readPush(payload: unknown): ReadEvent {
  const { ref, after, checkout_sha: checkout, project, commits, user_username: actor } = readPayload(Push, payload);
  if (isZeroCommit(after)) return ignored(`${shortRef(ref).slice(0, 200)} was deleted`);
  return {
    kind: 'report',
    report: {
      kind: 'version-seen',
      repository: project.path_with_namespace,
      commit: checkout ?? after,
      ref: shortRef(ref),
      version: ref.startsWith('refs/tags/') ? shortRef(ref) : undefined,
      actor: actor ?? undefined,
      occurredAt: isoTime(commits?.at(-1)?.timestamp),
    },
  };
}

function readRelease(payload: unknown): ReadEvent {
  const { action, tag, commit, released_at: releasedAt, project } = readPayload(Release, payload);
  if (action !== 'create') return ignored(`a release was changed (${action.slice(0, 40)}); one is seen when it is made`);
  const { path_with_namespace: repository } = project;
  return {
    kind: 'report',
    report: { kind: 'version-seen', repository, commit: commit.id, ref: tag, version: tag, occurredAt: isoTime(releasedAt) },
  };
}

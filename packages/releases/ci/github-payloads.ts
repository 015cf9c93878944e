import * as z from 'zod';

// GitHub's payloads as far as they are read here; what is documented as nullable, or seen to be, may be null or absent.

/** Who did something. */
export const Person = z.object({ login: z.string() }).nullish();

/** The App that did it, where one did. */
export const App = z.object({ id: z.number(), client_id: z.string().nullish() }).nullish();
const Common = z.object({
  action: z.string().optional(),
  repository: z.object({ full_name: z.string() }),
  sender: Person,
  installation: z.object({ id: z.int() }).nullish(),
});

/** A deployment, in every event that is about one. */
export const Deployment = z.object({
  id: z.int(),
  sha: z.string(),
  ref: z.string(),
  environment: z.string(),
  creator: Person,
  created_at: z.string(),
});

/** `deployment_protection_rule` */
export const ProtectionRule = Common.extend({
  environment: z.string(),
  deployment_callback_url: z.string(),
  deployment: Deployment,
});

/** `deployment` */
export const DeploymentEvent = Common.extend({ deployment: Deployment, workflow_run: z.unknown() });

/** `deployment_status` */
export const DeploymentStatus = Common.extend({
  deployment: Deployment,
  deployment_status: z.object({
    state: z.string(),
    environment: z.string().nullish(),
    log_url: z.string().nullish(),
    target_url: z.string().nullish(),
    creator: Person,
    created_at: z.string(),
    performed_via_github_app: App,
  }),
});

/** `workflow_run` */
export const WorkflowRun = Common.extend({
  workflow: z.object({ name: z.string().nullish() }).nullish(),
  workflow_run: z.object({
    name: z.string().nullish(),
    path: z.string().nullish(),
    status: z.string().nullish(),
    conclusion: z.string().nullish(),
    head_sha: z.string(),
    head_branch: z.string().nullish(),
    head_repository: z.object({ full_name: z.string() }).nullish(),
    html_url: z.string().nullish(),
    updated_at: z.string(),
    actor: Person,
    triggering_actor: Person,
  }),
});

/** `check_run` */
export const CheckRun = Common.extend({
  check_run: z.object({
    name: z.string().min(1),
    status: z.string(),
    conclusion: z.string().nullish(),
    head_sha: z.string(),
    html_url: z.string().nullish(),
    details_url: z.string().nullish(),
    started_at: z.string().nullish(),
    completed_at: z.string().nullish(),
    app: App,
    check_suite: z.object({ head_branch: z.string().nullish() }).nullish(),
  }),
});

/** `release` */
export const Release = Common.extend({
  release: z.object({
    tag_name: z.string(),
    target_commitish: z.string(),
    draft: z.boolean(),
    author: Person,
    published_at: z.string().nullish(),
  }),
});

/** `push` */
export const Push = Common.extend({
  ref: z.string(),
  after: z.string(),
  deleted: z.boolean().optional(),
  head_commit: z.object({ id: z.string(), timestamp: z.string() }).nullish(),
  pusher: z.object({ name: z.string() }).nullish(),
  repository: z.object({ full_name: z.string(), pushed_at: z.union([z.number(), z.string()]).nullish() }),
});

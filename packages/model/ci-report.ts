import * as z from 'zod';

/**
 * What a CI system said in one delivery, in one form whoever said it: GitHub, GitLab, or the generic webhook. It is untrusted text from a
 * sender whose signature was right: bounded, and never taken for markup or a path.
 */
export const CiReport = z.object({
  provider: z.enum(['github', 'gitlab', 'ci']),
  /** The provider's id of the delivery; the same delivery is taken once. */
  delivery: z.string().min(1).max(200),
  /**
   * `release-requested`: a version wants to go to an environment (deployment, protection rule, release, pipeline, generic).
   * `check-reported`: a check of a version ended (check_run, workflow_run, pipeline job, generic).
   * `version-seen`: a version exists (push, release). `approved` and `rejected`: a person decided at the provider's.
   */
  kind: z.enum(['release-requested', 'check-reported', 'version-seen', 'approved', 'rejected']),
  /** `owner/name`, or a project's path. Applications name the repositories that they come from. */
  repository: z.string().min(1).max(400),
  /** Full commit id. */
  commit: z.string().max(128),
  /** Branch or tag, without `refs/heads/`. */
  ref: z.string().max(400).optional(),
  /** What the version is called, where it has a name: a tag, a release's name. */
  version: z.string().max(200).optional(),
  /** `sha256:...` of what was built. */
  artifactDigest: z.string().max(200).optional(),
  sbomUrl: z.string().max(2_000).optional(),
  /** Of this application only; otherwise every application of the repository. */
  application: z.string().max(200).optional(),
  environment: z.string().max(200).optional(),
  /** Of a check: its name and kind, and how it ended. */
  check: z
    .object({
      name: z.string().min(1).max(200),
      kind: z.enum(['build', 'smoke', 'integration', 'performance', 'security', 'other']),
      state: z.enum(['pending', 'success', 'failure']),
      url: z.string().max(2_000).optional(),
    })
    .optional(),
  actor: z.string().max(200).optional(),
  /** When it happened, by the sender's clock. */
  occurredAt: z.iso.datetime().optional(),
  /** How the answer gets back: opaque to everybody but who wrote it. */
  reply: z.record(z.string(), z.string().max(4_000)).optional(),
});
export type CiReport = z.infer<typeof CiReport>;

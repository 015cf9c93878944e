import type { Operation } from '#api/operation.ts';

const answers = {
  '202': '{"result","delivery"}: taken; already taken, without effect; or ignored, with the reason.',
  '400': 'Signed, but not as the provider documents it.',
  '403':
    'The setting with the secret is missing, or the signature is not of a secret that is known, or its time is more than 5 minutes off.',
  '413': 'Larger than 1 MiB: nothing of it is taken.',
};

const webhook = (provider: string, summary: string): Operation => ({
  method: 'post',
  path: `/webhooks/${provider}`,
  summary,
  scope: 'open',
  body: ['application/json'],
  answers,
});

/** What the OpenAPI document says of webhooks. */
export const webhookOperations: readonly Operation[] = [
  webhook('github', "GitHub's deliveries, verified by X-Hub-Signature-256; X-GitHub-Delivery is taken once"),
  webhook('gitlab', "GitLab's deliveries, verified by webhook-signature, X-Gitlab-Signature or X-Gitlab-Token"),
  webhook('ci', 'Reports of any CI system, signed with HMAC-SHA256 over "timestamp.body" (docs/releases/webhooks.md)'),
];

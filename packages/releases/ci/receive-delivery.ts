import { OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';
import type { CiReport } from '#model/ci-report.ts';
import { readCiRequest } from './ci-request.ts';
import { type GithubContext, readGithubEvent } from './github-events.ts';
import { readGitlabEvent } from './gitlab-events.ts';
import { boundReport, type ReadEvent } from './report-fields.ts';
import { type TakeDeliveryDeps, takeDelivery } from './take-delivery.ts';
import { type RawDelivery, type TenantSecret, type VerifiedDelivery, verifyCi, verifyGithub, verifyGitlab } from './verify-delivery.ts';

type Provider = CiReport['provider'];

/** Who may deliver, and to what the answers go. */
export interface WebhookSettings {
  readonly githubSecrets: readonly TenantSecret[];
  readonly gitlabTokens: readonly TenantSecret[];
  readonly ciSecrets: readonly TenantSecret[];
  readonly githubApp?: { readonly id: string; readonly tenant: string } | undefined;
  readonly githubApi: string;
}

/** What became of a delivery. */
export interface DeliveryResult {
  readonly result: 'taken' | 'already taken' | 'ignored';
  readonly delivery: string;
  /** Why it is ignored. */
  readonly reason?: string | undefined;
  /** What the sender should know of one that is taken. */
  readonly note?: string | undefined;
}

/** A status check that is asked again this much later is another. */
const REPEAT_MS = 2 * MINUTE_MS;

/**
 * Verifies a delivery, reads it, and takes it once. `denied` where the provider has no secret or none fits; nothing is parsed before that.
 * `input` for a payload that is not as the provider documents it.
 */
export async function receiveDelivery(
  deps: TakeDeliveryDeps & { readonly settings: WebhookSettings },
  provider: Provider,
  raw: RawDelivery,
): Promise<DeliveryResult> {
  const { settings, now } = deps;
  const verified = verify(settings, provider, raw, now());
  const { tenant, delivery } = verified;
  const read = readEvent(settings, tenant, provider, raw);
  if (read.kind === 'ignored') return { result: 'ignored', delivery, reason: read.reason };
  const turn = read.canRepeat ? `@${Math.floor(now() / REPEAT_MS)}` : '';
  const report = boundReport({ ...read.report, provider, delivery: `${delivery}${turn}` });
  const taken = await takeDelivery(deps, { tenant, proof: `${verified.proof}${turn}`, report, subject: read.subject });
  return { result: taken === 'taken' ? 'taken' : 'already taken', delivery, note: read.note };
}

const variables = { github: 'QUARTERDECK_GITHUB_SECRET', gitlab: 'QUARTERDECK_GITLAB_TOKEN', ci: 'QUARTERDECK_CI_SECRET' } as const;

function verify(settings: WebhookSettings, provider: Provider, raw: RawDelivery, nowMs: number): VerifiedDelivery {
  const secrets = { github: settings.githubSecrets, gitlab: settings.gitlabTokens, ci: settings.ciSecrets }[provider];
  if (secrets.length === 0) {
    throw new OpsError('denied', `${variables[provider]} is not set: deliveries to /webhooks/${provider} cannot be verified`, {
      hint: 'Set it to the secret of the webhook, or to tenant=secret,... for several tenants.',
    });
  }
  if (provider === 'github') return verifyGithub(secrets, raw);
  return provider === 'gitlab' ? verifyGitlab(secrets, raw, nowMs) : verifyCi(secrets, raw, nowMs);
}

function readEvent(settings: WebhookSettings, tenant: string, provider: Provider, { header, body }: RawDelivery): ReadEvent {
  const payload = parseJson(body);
  if (provider === 'ci') return readCiRequest(payload);
  if (provider === 'gitlab') return readGitlabEvent(payload);
  const { githubApi: apiUrl, githubApp } = settings;
  const context: GithubContext = { apiUrl, appId: githubApp?.tenant === tenant ? githubApp.id : undefined };
  return readGithubEvent(header('x-github-event') ?? '', payload, context);
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new OpsError('input', 'the body is not JSON', { cause, hint: 'Set the content type of the webhook to application/json.' });
  }
}

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { OpsError } from '#core/errors.ts';
import { MINUTE_MS } from '#core/time.ts';

/** A secret, and the tenant whose deliveries it verifies. */
export interface TenantSecret {
  readonly tenant: string;
  readonly secret: string;
}

/** A delivery as it came. */
export interface RawDelivery {
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** The exact bytes: what is signed. */
  readonly body: Uint8Array;
}

/** A delivery whose sender knows a secret of the tenant. */
export interface VerifiedDelivery {
  readonly tenant: string;
  /** The sender's name for it. GitHub's, and that of GitLab's tokens, is not signed: whoever replays a delivery can give it another. */
  readonly delivery: string;
  /** Names what was signed: a replay has the same, whatever its headers say. */
  readonly proof: string;
}

/** How far a signed time may be from ours, either way. */
const TOLERANCE_MS = 5 * MINUTE_MS;
const DELIVERY_ID = /^[\x21-\x7e]{1,180}$/;

/** GitHub's: `X-Hub-Signature-256` over the raw body, `X-GitHub-Delivery`. `denied` where no secret made the signature. */
export function verifyGithub(secrets: readonly TenantSecret[], { header, body }: RawDelivery): VerifiedDelivery {
  const signature = readHexSignature(header('x-hub-signature-256'), 'X-Hub-Signature-256');
  const tenant = findSigner(secrets, signature, (secret) => hmac(secret, [body]));
  return { tenant, delivery: readDeliveryId(header('x-github-delivery'), 'X-GitHub-Delivery'), proof: signature.toString('hex') };
}

/** The generic one: `X-Quarterdeck-Signature` over `timestamp.body`, with `X-Quarterdeck-Timestamp` in seconds and `X-Quarterdeck-Delivery`. */
export function verifyCi(secrets: readonly TenantSecret[], { header, body }: RawDelivery, nowMs: number): VerifiedDelivery {
  const signature = readHexSignature(header('x-quarterdeck-signature'), 'X-Quarterdeck-Signature');
  const timestamp = header('x-quarterdeck-timestamp') ?? '';
  const tenant = findSigner(secrets, signature, (secret) => hmac(secret, [`${timestamp}.`, body]));
  checkTime(timestamp, 'X-Quarterdeck-Timestamp', nowMs);
  return { tenant, delivery: readDeliveryId(header('x-quarterdeck-delivery'), 'X-Quarterdeck-Delivery'), proof: signature.toString('hex') };
}

/**
 * GitLab's, by the best that it sent: a signing token's `webhook-signature` (Standard Webhooks 1.0.0: base64 of HMAC-SHA256 over
 * `id.timestamp.body`, several set apart by spaces), the `X-Gitlab-Signature` of an external status check (hex over the body), or the secret
 * itself in `X-Gitlab-Token`.
 */
export function verifyGitlab(secrets: readonly TenantSecret[], raw: RawDelivery, nowMs: number): VerifiedDelivery {
  const { header, body } = raw;
  if (header('webhook-signature') !== undefined) return verifyStandard(secrets, raw, nowMs);
  const bodyHash = createHash('sha256').update(body).digest('hex');
  // Deliveries that another delivery set off share their event's UUID, so that by itself it names none.
  const uuid = header('x-gitlab-event-uuid');
  const delivery = header('idempotency-key') ?? (uuid === undefined ? bodyHash : `${uuid.slice(0, 100)}/${bodyHash}`);
  const signed = header('x-gitlab-signature');
  const tenant = signed === undefined ? findTokenHolder(secrets, header('x-gitlab-token')) : findStatusCheckSigner(secrets, signed, body);
  return { tenant, delivery: readDeliveryId(delivery, 'Idempotency-Key'), proof: bodyHash };
}

function verifyStandard(secrets: readonly TenantSecret[], { header, body }: RawDelivery, nowMs: number): VerifiedDelivery {
  const id = header('webhook-id') ?? '';
  const timestamp = header('webhook-timestamp') ?? '';
  const signatures = (header('webhook-signature') ?? '')
    .split(' ', 10)
    .flatMap((each) => /^v1,([A-Za-z0-9+/]{43}=)$/.exec(each)?.[1] ?? [])
    .map((text) => Buffer.from(text, 'base64'));
  if (signatures.length === 0) throw new OpsError('denied', 'webhook-signature is not v1, and 44 characters of Base64');
  const tenants = signatures.map((signature) =>
    trySigner(secrets, signature, (secret) => hmac(standardKey(secret), [`${id}.${timestamp}.`, body])),
  );
  const tenant = tenants.find((each) => each !== undefined);
  if (tenant === undefined) throw unknownSigner();
  checkTime(timestamp, 'webhook-timestamp', nowMs);
  return {
    tenant,
    delivery: readDeliveryId(id, 'webhook-id'),
    proof: createHash('sha256').update(`${id}.${timestamp}.`).update(body).digest('hex'),
  };
}

/** `whsec_` goes before the Base64 of a key. */
function standardKey(secret: string): string | Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
}

function findStatusCheckSigner(secrets: readonly TenantSecret[], signed: string, body: Uint8Array): string {
  const signature = readHexSignature(`sha256=${signed.replace(/^sha256=/i, '')}`, 'X-Gitlab-Signature');
  return findSigner(secrets, signature, (secret) => hmac(secret, [body]));
}

/** Hashes are compared, so that time tells not even the length. */
function findTokenHolder(secrets: readonly TenantSecret[], token: string | undefined): string {
  if (token === undefined) throw new OpsError('denied', 'X-Gitlab-Token is missing', { hint: 'Set the secret token of the webhook.' });
  return findSigner(secrets, sha256(token), sha256);
}

function findSigner(secrets: readonly TenantSecret[], signature: Buffer, sign: (secret: string) => Buffer): string {
  const tenant = trySigner(secrets, signature, sign);
  if (tenant === undefined) throw unknownSigner();
  return tenant;
}

/** Every secret is tried, each in constant time: how long it takes does not tell whose it is. */
function trySigner(secrets: readonly TenantSecret[], signature: Buffer, sign: (secret: string) => Buffer): string | undefined {
  return secrets.filter(({ secret }) => timingSafeEqual(sign(secret), signature))[0]?.tenant;
}

function unknownSigner(): OpsError {
  return new OpsError('denied', 'the delivery is not signed with a secret that is known here', {
    hint: 'Compare the secret of the webhook with the setting, and send the body as it was signed.',
  });
}

function readHexSignature(value: string | undefined, name: string): Buffer {
  const [, hex] = /^sha256=([0-9a-f]{64})$/i.exec(value ?? '') ?? [];
  if (hex === undefined) {
    throw new OpsError('denied', `${name} is ${value === undefined ? 'missing' : 'not sha256= and 64 hexadecimal digits'}`);
  }
  return Buffer.from(hex, 'hex');
}

function readDeliveryId(value: string | undefined, name: string): string {
  if (value !== undefined && DELIVERY_ID.test(value)) return value;
  throw new OpsError('input', `${name} is ${value === undefined ? 'missing' : 'not 1 to 180 visible ASCII characters'}`);
}

function checkTime(seconds: string, name: string, nowMs: number): void {
  const isTime = /^\d{1,12}$/.test(seconds);
  if (isTime && Math.abs(Number(seconds) * 1_000 - nowMs) <= TOLERANCE_MS) return;
  const found = isTime ? 'more than 5 minutes from the time here' : 'not a time in seconds';
  throw new OpsError('denied', `${name} is ${found}`, { hint: 'Sign anew with the current time; set the clocks.' });
}

function hmac(key: string | Buffer, parts: readonly (string | Uint8Array)[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

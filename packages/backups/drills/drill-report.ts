import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import * as z from 'zod';
import type { Secrets } from '#backups/format/secrets.ts';
import { OpsError } from '#core/errors.ts';

/** As AWS Backup's restore testing calls them; `RUNNING` is before there is anything to validate. */
export const DrillStatus = z.enum(['RUNNING', 'VALIDATING', 'SUCCESSFUL', 'FAILED', 'TIMED_OUT']);
export type DrillStatus = z.infer<typeof DrillStatus>;

const Problem = z.object({ path: z.string(), message: z.string() });

/** The evidence of one drill. Times in ISO, durations in ms. */
export const DrillReport = z.object({
  version: z.literal(1),
  id: z.string(),
  drill: z.string(),
  repository: z.string(),
  snapshot: z.string(),
  source: z.object({ type: z.string(), name: z.string() }),
  status: DrillStatus,
  /** Why, in one sentence. */
  sentence: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** From the beginning to data that is restored and verified: the recovery time as it was measured. */
  recoveryTimeMs: z.number(),
  /** Age of the data at the beginning: what would have been lost then. */
  recoveryPointMs: z.number(),
  objectives: z.object({ recoveryTimeMs: z.number().optional(), recoveryPointMs: z.number().optional() }),
  restored: z.object({ items: z.number(), bytes: z.number(), missing: z.array(Problem), missingCount: z.number() }),
  compared: z.object({
    items: z.number(),
    bytes: z.number(),
    lines: z.number(),
    differences: z.array(Problem),
    differenceCount: z.number(),
  }),
  checks: z.array(z.object({ check: z.string(), ok: z.boolean(), sentence: z.string() })),
  /** Whether everything that was restored for it is gone again. */
  cleanedUp: z.boolean(),
});
export type DrillReport = z.infer<typeof DrillReport>;

/** A report, and who vouches for it: Ed25519 over the report's text. */
export interface SignedReport {
  /** The report as JSON, exactly as it was signed. */
  readonly text: string;
  /** Base64. */
  readonly signature: string;
  /** The repository's public key, base64 of 32 bytes: the same for all of its reports. */
  readonly publicKey: string;
}

/** What an Ed25519 key is wrapped in (RFC 8410) before its 32 bytes. */
const PRIVATE_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** Signs with a key that follows from the repository's master key: who has no such key cannot have made the report. */
export function signReport(secrets: Secrets, report: DrillReport): SignedReport {
  const key = signingKey(secrets);
  const text = JSON.stringify(report);
  return { text, signature: sign(null, Buffer.from(text), key).toString('base64'), publicKey: publicKeyOf(secrets) };
}

/** The key that a repository's reports are verified by, as they carry it: base64 of 32 bytes. */
export function publicKeyOf(secrets: Secrets): string {
  const spki = createPublicKey(signingKey(secrets)).export({ type: 'spki', format: 'der' });
  return spki.subarray(PUBLIC_HEAD.length).toString('base64');
}

/** The report, if its signature is right; `input` otherwise. */
export function verifyReport({ text, signature, publicKey }: SignedReport): DrillReport {
  const bytes = Buffer.from(publicKey, 'base64');
  if (bytes.length !== 32) throw new OpsError('input', 'the public key of the report has not 32 bytes');
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, bytes]), format: 'der', type: 'spki' });
  if (!verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64')))
    throw new OpsError('input', 'the signature of the report is wrong: it was changed after it was signed');
  return DrillReport.parse(JSON.parse(text));
}

function signingKey(secrets: Secrets): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, secrets.signingSeed()]), format: 'der', type: 'pkcs8' });
}

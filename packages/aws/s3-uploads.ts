import { createHmac } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { OpsError } from '#core/errors.ts';
import { type Clock, DAY_MS } from '#core/time.ts';
import { assertBlobKey } from '#ports/blob-keys.ts';
import type { Uploads } from '#ports/uploads.ts';
import { callAws } from './call.ts';
import type { S3Deps } from './s3-blobs.ts';

const MAX_EXPIRY_MS = 7 * DAY_MS;

/**
 * The Uploads port as S3 form POSTs, signed here without a request: the SDK's own package for it would make the bundle a tenth
 * larger. The policy fixes key and size. A ticket also ends with the credentials that signed it, for a function within hours.
 */
export function createS3Uploads(deps: S3Deps & { readonly clock: Clock }): Uploads {
  return {
    async presign({ key, maxBytes, expiresInMs }) {
      assertBlobKey(key);
      const expiresInS = Math.floor(expiresInMs / 1_000);
      if (!(expiresInS >= 1 && expiresInMs <= MAX_EXPIRY_MS)) {
        throw new OpsError('input', `an upload ticket of ${expiresInMs} ms: it lasts 1 second to 7 days`);
      }
      if (!Number.isSafeInteger(maxBytes) || maxBytes < 0)
        throw new OpsError('input', `an upload of at most ${maxBytes} bytes: give a whole number`);
      const nowMs = deps.clock();
      const expiresAtMs = nowMs + expiresInS * 1_000;
      const options = { operation: 's3:PutObject', resource: `bucket "${deps.bucket}"`, repeat: 'always', retry: deps.retry } as const;
      const signer = await callAws(options, () => openSigner(deps.client));
      const fields = signForm(signer, { bucket: deps.bucket, key, maxBytes, nowMs, expiresAtMs });
      return { url: await formUrl(deps.client, deps.bucket, signer.region), fields, expiresAtMs };
    },
  };
}

/** Who signs, and for which region. */
export interface FormSigner {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly region: string;
}

export interface FormTerms {
  readonly bucket: string;
  readonly key: string;
  readonly maxBytes: number;
  readonly nowMs: number;
  readonly expiresAtMs: number;
}

/** The fields of a form that S3 takes under these terms: POST policy and Signature Version 4, as S3's "Browser-based uploads" has them. */
export function signForm(signer: FormSigner, { bucket, key, maxBytes, nowMs, expiresAtMs }: FormTerms): Record<string, string> {
  const time = isoSeconds(nowMs).replace(/[-:]/g, '');
  const scope = [time.slice(0, 8), signer.region, 's3', 'aws4_request'];
  const fixed: Record<string, string> = {
    bucket,
    key,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': [signer.accessKeyId, ...scope].join('/'),
    'X-Amz-Date': time,
    ...(signer.sessionToken && { 'X-Amz-Security-Token': signer.sessionToken }),
  };
  const conditions = [['content-length-range', 0, maxBytes], ...Object.entries(fixed).map(([name, value]) => ({ [name]: value }))];
  const policy = Buffer.from(JSON.stringify({ expiration: isoSeconds(expiresAtMs), conditions })).toString('base64');
  const signingKey = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${signer.secretAccessKey}`);
  return { ...fixed, Policy: policy, 'X-Amz-Signature': hmac(signingKey, policy).toString('hex') };
}

function hmac(secret: string | Buffer, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}

/** A time to the second: S3 takes no fractions here. */
function isoSeconds(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

async function openSigner(client: S3Client): Promise<FormSigner> {
  const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
  return { accessKeyId, secretAccessKey, sessionToken, region: await client.config.region() };
}

/** Where the SDK itself would send a request for the bucket: by host name on AWS, by path elsewhere. */
async function formUrl({ config }: S3Client, bucket: string, region: string): Promise<string> {
  const custom = await config.endpoint?.();
  const endpoint = custom && `${custom.protocol}//${custom.hostname}${custom.port ? `:${custom.port}` : ''}${custom.path}`;
  const parameters = {
    Bucket: bucket,
    Region: region,
    ForcePathStyle: Boolean(config.forcePathStyle),
    ...(endpoint && { Endpoint: endpoint }),
  };
  return config.endpointProvider(parameters).url.href;
}

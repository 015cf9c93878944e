import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import { assertBlobKey } from '#ports/blob-keys.ts';
import type { Uploads } from '#ports/uploads.ts';
import { callAws } from './call.ts';
import type { S3Deps } from './s3-blobs.ts';

const MAX_EXPIRY_MS = 7 * 24 * 3_600_000;

/**
 * The Uploads port as S3 form POSTs, signed here without a request. The policy fixes key and size. A ticket also ends with the
 * credentials that signed it, for a function within hours.
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
      const signedAtMs = deps.clock();
      const options = { operation: 's3:PutObject', resource: `bucket "${deps.bucket}"`, repeat: 'always', retry: deps.retry } as const;
      const { url, fields } = await callAws(options, () =>
        createPresignedPost(deps.client, {
          Bucket: deps.bucket,
          Key: key,
          Conditions: [['content-length-range', 0, maxBytes]],
          Expires: expiresInS,
        }),
      );
      return { url, fields, expiresAtMs: signedAtMs + expiresInS * 1_000 };
    },
  };
}

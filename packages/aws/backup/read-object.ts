import { GetObjectCommand } from '@aws-sdk/client-s3';
import { callAws, pause } from '#aws/call.ts';
import { toOpsError } from '#aws/errors.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import { callOnObject, type ObjectDeps, type ObjectPlace } from './object-head.ts';

export interface ReadableObject extends ObjectPlace {
  readonly etag: string;
  readonly sizeBytes: number;
}

/**
 * An object's bytes from an offset on. Where the connection breaks or ends early it goes on from the last byte it had, a bounded number of
 * times without progress. `conflict` where the object is another by now, `missing` where it is gone. `s3:GetObject`, of a version `s3:GetObjectVersion`.
 */
export async function* readObject(deps: ObjectDeps, object: ReadableObject, offset: number): AsyncGenerator<Uint8Array> {
  let at = offset;
  for (let attempt = 1; at < object.sizeBytes; ) {
    const before = at;
    let failure: unknown;
    const body = await openRange(deps, object, at);
    try {
      for await (const piece of body) {
        at += piece.length;
        yield piece;
      }
    } catch (error) {
      failure = toOpsError(error, callOnObject(deps, 's3:GetObject', object.key));
      // The stream of a broken connection fails with an error of Node's own.
      if (failure === error && !isOpsError(error) && !(error instanceof Error)) throw error;
    }
    if (at >= object.sizeBytes) break;
    attempt = at > before ? 1 : attempt + 1;
    if (attempt > deps.retry.attempts) {
      throw new OpsError('unavailable', `object "${object.key}" ended at byte ${at} of ${object.sizeBytes}`, { cause: failure });
    }
    await pause(deps.retry, attempt);
  }
  if (at > object.sizeBytes) throw new OpsError('unavailable', `object "${object.key}" gave ${at} bytes, it has ${object.sizeBytes}`);
}

async function openRange(deps: ObjectDeps, { key, versionId, etag }: ReadableObject, start: number): Promise<AsyncIterable<Uint8Array>> {
  const command = new GetObjectCommand({
    Bucket: deps.bucket,
    Key: key,
    VersionId: versionId,
    ...(start > 0 && { Range: `bytes=${start}-` }),
    ...(etag !== '' && { IfMatch: etag }),
  });
  const options = callOnObject(deps, 's3:GetObject', key);
  const { Body } = await callAws(options, () => deps.client.send(command));
  if (Body === undefined) throw new OpsError('unavailable', `${options.resource}: the answer has no body`);
  return Body as unknown as AsyncIterable<Uint8Array>;
}

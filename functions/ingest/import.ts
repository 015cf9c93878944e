import * as z from 'zod';
import { parseEvent } from '#functions/event.ts';
import { type OpsFunction, onLambda } from '#functions/lambda.ts';
import { importOfObject } from '#ingest/imports/import-record.ts';
import { runImport } from '#ingest/imports/run-import.ts';

/** S3's own event for an object, as EventBridge sends it (where keys, unlike in bucket notifications, stand as they are), or ours. */
const Event = z.object({
  detail: z.union([z.object({ object: z.object({ key: z.string() }) }), z.object({ tenant: z.string(), uploadId: z.string() })]),
});

/** Imports an uploaded file, or goes on with it. Objects that are no imports are left alone. */
export const run: OpsFunction = async (deps, event) => {
  const { detail } = parseEvent(Event, event);
  const upload = 'object' in detail ? importOfObject(detail.object.key) : { tenant: detail.tenant, id: detail.uploadId };
  const { blobs, table, ingest, now, newId, remainingMs, storage } = deps;
  if (!upload || (storage.onlyTenant !== undefined && upload.tenant !== storage.onlyTenant)) return { outcome: 'unknown' };
  return runImport({ blobs, table, ingest, now, newId, sleep }, { ...upload, remainingMs });
};

export const handler = onLambda(run);

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

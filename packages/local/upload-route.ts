import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import type { ApiEnv } from '#api/api-env.ts';
import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Bus, BusEvent } from '#ports/bus.ts';
import { formBoundary, readUploadForm } from './form-stream.ts';
import type { LocalPorts } from './open.ts';

type UploadDeps = Pick<LocalPorts, 'verifyTicket' | 'putStream'> & { readonly bus: Bus; readonly now: Clock };

/**
 * Takes upload forms as S3 does: the ticket's fields, then the file, which goes to disk as it comes; 204 once it is durable and S3's
 * "Object Created" event published. A ticket is all that it asks for. A form that is sent again is told of again, and changes nothing.
 */
export function uploadRoutes(deps: UploadDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post('/uploads', async (c) => {
    const boundary = formBoundary(c.req.header('content-type'));
    const { fields, file } = await readUploadForm(c.req.raw.body ?? new ReadableStream({ start: (empty) => empty.close() }), boundary);
    const { key, maxBytes } = deps.verifyTicket(fields);
    const hash = createHash('md5');
    let size = 0;
    await deps.putStream(
      key,
      (async function* () {
        for await (const chunk of file) {
          size += chunk.length;
          if (size > maxBytes) throw new OpsError('limit', `the file is larger than the ${maxBytes} bytes that its ticket allows`);
          hash.update(chunk);
          yield chunk;
        }
      })(),
    );
    const etag = hash.digest('hex');
    await deps.bus.publish([objectCreated({ key, size, etag, requestId: c.get('requestId'), nowMs: deps.now() })]);
    return c.body(null, 204, { etag: `"${etag}"` });
  });
  return app;
}

/** S3's event as EventBridge delivers it. */
function objectCreated(input: { key: string; size: number; etag: string; requestId: string; nowMs: number }): BusEvent {
  const { key, size, etag, requestId, nowMs } = input;
  const detail = {
    version: '0',
    bucket: { name: 'local' },
    object: { key, size, etag, sequencer: nowMs.toString(16).toUpperCase().padStart(16, '0') },
    'request-id': requestId,
    requester: 'local',
    'source-ip-address': '127.0.0.1',
    reason: 'POST Object',
  };
  return { source: 'aws.s3', detailType: 'Object Created', detail };
}

import { Hono } from 'hono';
import * as z from 'zod';
import type { ApiEnv } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import { OpsError } from '#core/errors.ts';
import { type CreateImportDeps, createImport } from '#ingest/imports/create-import.ts';
import type { ImportRecord } from '#ingest/imports/import-record.ts';
import { readImport } from '#ingest/imports/read-import.ts';

/** What a client says of the file that it wants to upload. */
const ImportRequest = z.strictObject({
  format: z.enum(['prometheus', 'json-lines', 'influx'], 'takes prometheus, json-lines or influx'),
  precision: z.enum(['ns', 'us', 'ms', 's', 'm', 'h'], 'takes ns, us, ms, s, m or h').optional(),
  encoding: z.enum(['identity', 'gzip', 'zstd'], 'takes identity, gzip or zstd').optional(),
  sizeBytes: z.int('takes a whole number of bytes').min(0, 'takes a whole number of bytes').optional(),
});
type ImportRequest = z.infer<typeof ImportRequest>;

const PATH = '/api/v1/import/uploads';
const MAX_REQUEST_BYTES = 16 * 1024;

/** Imports of files that are larger than a request: asked for here, uploaded elsewhere, followed here. */
export function uploadsRoutes(deps: CreateImportDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.post(PATH, async (c) => {
    const request = parseRequest(await readBody(c.req.raw, MAX_REQUEST_BYTES));
    const { id, ticket } = await createImport(deps, { ...request, tenant: c.get('tenant') });
    const { href } = new URL(ticket.url, c.req.url); // embedded, uploads go to where this request came
    const expiresAt = new Date(ticket.expiresAtMs).toISOString();
    return c.json({ id, url: href, fields: ticket.fields, expiresAt }, 201, { location: `${PATH}/${id}` });
  });
  app.get(`${PATH}/:id`, async (c) => c.json(statusOf(await readImport(deps, { tenant: c.get('tenant'), id: c.req.param('id') }))));
  return app;
}

function parseRequest(body: Uint8Array): ImportRequest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new OpsError('input', 'the body is not JSON', { cause, hint: 'Send {"format": "prometheus"}, for instance.' });
  }
  const parsed = ImportRequest.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  throw new OpsError('input', problems.join('; '), { hint: 'Fields: format, and where they apply precision, encoding, sizeBytes.' });
}

function statusOf({ id, state, format, precision, createdAtMs, startedAtMs, finishedAtMs, error, tally }: ImportRecord) {
  const { objectBytes, totalBytes, lines, accepted, rejectedLines, reported, rejections } = tally;
  return {
    id,
    state,
    format,
    precision,
    createdAt: isoTime(createdAtMs),
    startedAt: isoTime(startedAtMs),
    finishedAt: isoTime(finishedAtMs),
    error,
    progress: { bytes: objectBytes, totalBytes, lines },
    accepted,
    rejected: {
      /** Samples left out; a line that cannot be read counts as one. */
      count: rejections.reduce((sum, { count }) => sum + count, 0),
      lineCount: rejectedLines,
      lines: reported,
      reasons: rejections,
    },
  };
}

function isoTime(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString();
}

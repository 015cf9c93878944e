import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { InfluxPrecision } from '#ingest/influx-protocol.ts';
import { type ApiClient, answerError } from './api-client.ts';
import type { ImportSource } from './import-source.ts';
import { postForm } from './post-form.ts';

/** How far a file has come. */
export interface FileProgress {
  readonly phase: 'sending' | 'importing';
  readonly bytes: number;
  readonly totalBytes: number;
}

/** What became of a file. */
export interface FileResult {
  readonly file: string;
  readonly state: 'done' | 'failed';
  readonly error?: string | undefined;
  /** Absent where the server did not say. */
  readonly accepted?: number | undefined;
  readonly rejected: Rejected;
}

const Line = z.object({ line: z.number(), column: z.number(), message: z.string() });
const Rejected = z.object({
  count: z.number(),
  lineCount: z.number(),
  lines: z.array(Line),
  reasons: z.array(z.object({ reason: z.string(), message: z.string(), count: z.number() })),
});
type Rejected = z.infer<typeof Rejected>;

const Ticket = z.object({ id: z.string(), url: z.string(), fields: z.record(z.string(), z.string()) });
const Status = z.object({
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  error: z.string().optional(),
  progress: z.object({ bytes: z.number(), totalBytes: z.number() }),
  accepted: z.number(),
  rejected: Rejected,
});
type Status = z.infer<typeof Status>;

export interface ImportFileDeps {
  readonly client: ApiClient;
  readonly now: () => number;
  readonly onProgress: (progress: FileProgress) => void;
}

const UPLOADS = '/api/v1/import/uploads';
/** What a request may carry on Lambda. */
const MAX_DIRECT_BYTES = 4_000_000;
const STALLED_MS = 10 * 60_000;
const MAX_POLL_MS = 2_000;
const nothingRejected: Rejected = { count: 0, lineCount: 0, lines: [], reasons: [] };

/** Imports one file: by a request where it is small, else by an upload that is followed to its end. */
export async function importFile(deps: ImportFileDeps, source: ImportSource, precision?: InfluxPrecision): Promise<FileResult> {
  const { format, sizeBytes } = source;
  // Line protocol has no request of its own for history. OpenMetrics has nothing but requests.
  const isDirect = format === 'openmetrics' || (format !== 'influx' && sizeBytes <= MAX_DIRECT_BYTES);
  return (isDirect ? await sendDirectly(deps, source) : undefined) ?? uploadFile(deps, source, precision);
}

/** Undefined where an upload will tell more, or take more. */
async function sendDirectly({ client, onProgress }: ImportFileDeps, source: ImportSource): Promise<FileResult | undefined> {
  const { path, format, encoding, sizeBytes } = source;
  onProgress({ phase: 'sending', bytes: 0, totalBytes: sizeBytes });
  const headers: Record<string, string> = { 'content-type': format === 'openmetrics' ? 'application/openmetrics-text' : 'text/plain' };
  if (encoding !== 'identity') headers['content-encoding'] = encoding;
  const body = new Uint8Array(await buffer(createReadStream(path)));
  const answer = await client.request(format === 'json-lines' ? '/api/v1/import' : '/api/v1/import/prometheus', {
    method: 'POST',
    headers,
    body,
  });
  const samples = answer.headers.get('x-quarterdeck-samples');
  const accepted = samples === null ? undefined : Number(samples);
  if (answer.ok) {
    onProgress({ phase: 'sending', bytes: sizeBytes, totalBytes: sizeBytes });
    return { file: path, state: 'done', accepted, rejected: nothingRejected };
  }
  // Where nothing was taken for the sake of some lines, an upload takes the others.
  if (format !== 'openmetrics' && accepted === undefined && (answer.status === 400 || answer.status === 413)) return undefined;
  const { message } = await answerError(answer);
  return { file: path, state: 'failed', error: message, accepted, rejected: nothingRejected };
}

async function uploadFile(deps: ImportFileDeps, source: ImportSource, precision: InfluxPrecision | undefined): Promise<FileResult> {
  const { client, onProgress } = deps;
  const { path, format, encoding, sizeBytes } = source;
  const asked = await client.request(UPLOADS, { method: 'POST', body: JSON.stringify({ format, precision, encoding, sizeBytes }) });
  if (!asked.ok) throw await answerError(asked);
  const { id, url, fields } = readAnswer(Ticket, await asked.json());
  const onSent = (bytes: number) => onProgress({ phase: 'sending', bytes, totalBytes: sizeBytes });
  onSent(0);
  const sent = await postForm({ url, fields, path, sizeBytes, onSent });
  if (!sent.ok) throw await answerError(sent);
  const { state, error, accepted, rejected } = await followImport(deps, id, sizeBytes);
  return { file: path, state: state === 'done' ? 'done' : 'failed', error, accepted, rejected };
}

/** Asks ever less often until the import has ended; gives up on one that does not move. */
async function followImport({ client, now, onProgress }: ImportFileDeps, id: string, sizeBytes: number): Promise<Status> {
  let pauseMs = 100;
  let seen = '';
  let movedAtMs = now();
  for (;;) {
    const status = await readStatus(client, id, now() - movedAtMs);
    if (status?.state === 'done' || status?.state === 'failed') return status;
    if (status && JSON.stringify(status) !== seen) {
      seen = JSON.stringify(status);
      movedAtMs = now();
      onProgress({ phase: 'importing', bytes: status.progress.bytes, totalBytes: sizeBytes });
    }
    if (now() - movedAtMs > STALLED_MS) {
      throw new OpsError('unavailable', `the file is uploaded, and its import has not moved for ${STALLED_MS / 60_000} minutes`, {
        hint: `It may go on all the same: GET ${client.url}${UPLOADS.slice(1)}/${id} tells.`,
      });
    }
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, MAX_POLL_MS);
  }
}

/** Undefined while the server is away for a moment: the import goes on when it is back. */
async function readStatus(client: ApiClient, id: string, stalledMs: number): Promise<Status | undefined> {
  try {
    const answer = await client.request(`${UPLOADS}/${id}`);
    if (!answer.ok) throw await answerError(answer);
    return readAnswer(Status, await answer.json());
  } catch (error) {
    if (isOpsError(error, 'unavailable') && stalledMs < 60_000) return undefined;
    throw error;
  }
}

function readAnswer<T extends z.ZodType>(schema: T, json: unknown): z.infer<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new OpsError('unavailable', `the server's answer is not as this command knows it: ${z.prettifyError(parsed.error)}`);
}

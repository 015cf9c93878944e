import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '#config/settings.ts';
import { type LocalServer, startServer } from '#local/serve.ts';

const MINUTE = 60_000;

interface Status {
  readonly state: string;
  readonly error?: string;
  readonly accepted: number;
  readonly progress: { readonly bytes: number; readonly totalBytes: number; readonly lines: number };
  readonly rejected: { readonly count: number; readonly lines: readonly { line: number; column: number; message: string }[] };
}
interface Ticket {
  readonly id: string;
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

let folder: string;
let server: LocalServer;
const logged: string[] = [];

const startHere = () =>
  startServer(
    readSettings({
      PORT: '0',
      QUARTERDECK_DATA: join(folder, 'data'),
      QUARTERDECK_CONFIG: folder,
      QUARTERDECK_SELF: 'off',
      QUARTERDECK_SCHEDULES: 'off',
      QUARTERDECK_TOKENS: 'token-of-a=a:ingest+query+admin,token-of-b=b:ingest+query',
    }),
    (line) => logged.push(line),
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quarterdeck-import-'));
  server = await startHere();
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
  expect(logged).toEqual([]);
});

const call = (path: string, init: RequestInit = {}, token = 'token-of-a') =>
  fetch(`${server.url}${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });

async function ask(input: object): Promise<Ticket> {
  const answer = await call('/api/v1/import/uploads', { method: 'POST', body: JSON.stringify(input) });
  expect(answer.status).toBe(201);
  return (await answer.json()) as Ticket;
}

function upload({ url, fields }: Pick<Ticket, 'url' | 'fields'>, file: Uint8Array | string): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([file as Uint8Array<ArrayBuffer>]), 'file');
  return fetch(url, { method: 'POST', body: form });
}

async function waitForEnd(id: string): Promise<Status> {
  for (;;) {
    const status = (await (await call(`/api/v1/import/uploads/${id}`)).json()) as Status;
    if (status.state === 'done' || status.state === 'failed') return status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function count(query: string, token?: string): Promise<number> {
  const answer = await call(`/api/v1/query?query=${encodeURIComponent(query)}`, {}, token);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? 0);
}

const uploaded = () => readdir(join(folder, 'data', 'blobs', 'imports', 'a')).catch(() => []);

describe('an import into an embedded server', () => {
  it('takes a file by form, imports it, and answers queries from it', async () => {
    const end = Date.now() - MINUTE;
    const lines = Array.from({ length: 50_000 }, (_, i) =>
      i % 1_000 === 999 ? 'nonsense{' : `imported{i="${i % 10}"} ${i} ${end - i * 10}`,
    );
    const ticket = await ask({ format: 'prometheus' });
    expect(ticket.url).toBe(`${server.url}/uploads`);
    const answer = await upload(ticket, gzipSync(lines.join('\n')));
    expect([answer.status, await answer.text()]).toEqual([204, '']);
    const status = await waitForEnd(ticket.id);
    expect(status).toMatchObject({ state: 'done', accepted: 49_950, rejected: { count: 50 }, progress: { lines: 50_000 } });
    expect(status.progress.bytes).toBe(status.progress.totalBytes);
    expect(status.rejected.lines[0]).toEqual({ line: 1_000, column: 10, message: expect.any(String) });
    expect(await count('sum(count_over_time(imported[1h]))')).toBe(49_950);
    expect(await count('sum(count_over_time(imported[1h]))', 'token-of-b')).toBe(0);
    expect(await uploaded()).toEqual([]);
    const other = await call(`/api/v1/import/uploads/${ticket.id}`, {}, 'token-of-b');
    expect(other.status).toBe(404);
  });

  it('changes nothing when the form is sent again', async () => {
    const ticket = await ask({ format: 'prometheus' });
    const text = `again 1 ${Date.now() - MINUTE}\n`;
    await upload(ticket, text);
    await waitForEnd(ticket.id);
    expect((await upload(ticket, text)).status).toBe(204);
    await server.close(); // waits for what the event started
    server = await startHere();
    expect(await uploaded()).toEqual([]);
    expect(await count('sum(count_over_time(again[1h]))')).toBe(1);
  });

  it('goes on after a restart with what had been stopped', async () => {
    const end = Date.now() - MINUTE;
    const ticket = await ask({ format: 'influx', precision: 'ms' });
    const lines = Array.from({ length: 200_000 }, (_, i) => `stopped,i=${i % 10} value=${i} ${end - i}`);
    expect((await upload(ticket, lines.join('\n'))).status).toBe(204);
    await server.close();
    server = await startHere();
    const publish = () => call('/2015-03-31/functions/events-publish/invocations', { method: 'POST' });
    expect((await publish()).status).toBe(200); // what a schedule does each minute
    expect(await waitForEnd(ticket.id)).toMatchObject({ state: 'done', accepted: 200_000, rejected: { count: 0 } });
    expect(await count('sum(count_over_time(stopped[1h]))')).toBe(200_000);
  });

  it.each([
    [
      'a body larger than its ticket',
      { sizeBytes: 10 },
      {},
      'x'.repeat(11),
      413,
      'the file is larger than the 10 bytes that its ticket allows',
    ],
    ['a key that its ticket is not for', {}, { key: 'imports/b/1' }, 'x', 403, 'the fields of the form are not those of an upload ticket'],
    [
      'a size that its ticket is not for',
      {},
      { 'max-bytes': '99999999' },
      'x',
      403,
      'the fields of the form are not those of an upload ticket',
    ],
  ])('refuses %s, and keeps nothing of it', async (_, input, fields, file, status, message) => {
    const ticket = await ask({ format: 'prometheus', ...input });
    const answer = await upload({ ...ticket, fields: { ...ticket.fields, ...fields } }, file);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { message } });
    expect(await uploaded()).toEqual([]);
    expect(await readdir(join(folder, 'data', 'tmp'))).toEqual([]);
    expect(await (await call(`/api/v1/import/uploads/${ticket.id}`)).json()).toMatchObject({ state: 'waiting' });
  });

  it('refuses what is no form', async () => {
    const answer = await fetch(`${server.url}/uploads`, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } });
    expect(answer.status).toBe(400);
    expect((await fetch(`${server.url}/uploads`, { method: 'POST' })).status).toBe(400);
  });

  it('says what was wrong with a file that is damaged', async () => {
    const ticket = await ask({ format: 'json-lines' });
    await upload(ticket, gzipSync('{}\n'.repeat(1_000)).subarray(0, -10));
    expect(await waitForEnd(ticket.id)).toMatchObject({ state: 'failed', error: 'the file is not valid gzip: unexpected end of file' });
  });
});

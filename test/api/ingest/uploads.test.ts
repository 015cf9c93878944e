import { describe, expect, it } from 'vitest';
import { authenticateByTokens, type Scope } from '#api/auth.ts';
import { createApi } from '#api/create-api.ts';
import { uploadsRoutes } from '#api/ingest/uploads.ts';
import { importItemKey, importObjectKey } from '#ingest/imports/import-record.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createMemoryUploads } from '#ports/memory/memory-uploads.ts';
import type { Uploads } from '#ports/uploads.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const PATH = '/api/v1/import/uploads';

function createTestApi(uploads?: Uploads) {
  const table = createMemoryTable();
  const now = () => NOW;
  const blobs = createMemoryBlobs();
  let ids = 0;
  const newId = () => `id${++ids}`;
  const deps = { table, uploads: uploads ?? createMemoryUploads(blobs, { clock: now }), now, newId };
  const grant = (token: string, tenant: string, scope: Scope) => ({ token, tenant, scopes: new Set([scope]) });
  const tokens = [grant('token-of-a', 'a', 'ingest'), grant('token-of-b', 'b', 'ingest'), grant('reader-of-a', 'a', 'query')];
  const app = createApi({ authenticate: authenticateByTokens(tokens), newId, now, observe() {}, report() {} }, [
    { scope: 'ingest', routes: uploadsRoutes(deps) },
  ]);
  const headers = (token = 'token-of-a') => ({ authorization: `Bearer ${token}` });
  return {
    table,
    ask: (body: unknown, token?: string) =>
      app.request(`http://here.example:9000${PATH}`, {
        method: 'POST',
        headers: headers(token),
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    status: (id: string, token?: string) => app.request(`http://here.example:9000${PATH}/${id}`, { headers: headers(token) }),
  };
}

describe('POST /api/v1/import/uploads', () => {
  it('hands out a form for one object of this tenant, which then waits', async () => {
    const api = createTestApi();
    const answer = await api.ask({ format: 'influx', precision: 's', encoding: 'gzip', sizeBytes: 100 });
    expect(answer.status).toBe(201);
    const { id, ...ticket } = (await answer.json()) as { id: string };
    expect(answer.headers.get('location')).toBe(`${PATH}/${id}`);
    const fields = { key: importObjectKey({ tenant: 'a', id }), ticket: 'ticket-1' };
    expect(ticket).toEqual({ url: 'memory://uploads', fields, expiresAt: '2026-11-23T13:00:00.000Z' });
    expect(await (await api.status(id)).json()).toEqual({
      id,
      state: 'waiting',
      format: 'influx',
      precision: 's',
      createdAt: '2026-11-23T12:00:00.000Z',
      progress: { bytes: 0, totalBytes: 0, lines: 0 },
      accepted: 0,
      rejected: { count: 0, lineCount: 0, lines: [], reasons: [] },
    });
  });

  it('resolves an address of this server against where the request came', async () => {
    const api = createTestApi({ presign: async () => ({ url: '/uploads', fields: {}, expiresAtMs: NOW }) });
    expect(await (await api.ask({ format: 'prometheus' })).json()).toMatchObject({ url: 'http://here.example:9000/uploads' });
  });

  it('asks the store for no more than the client said, and for 5 GiB where it said nothing', async () => {
    const asked: number[] = [];
    const presign = async ({ maxBytes }: { maxBytes: number }) => {
      asked.push(maxBytes);
      return { url: '/uploads', fields: {}, expiresAtMs: NOW };
    };
    const api = createTestApi({ presign });
    await api.ask({ format: 'prometheus', sizeBytes: 7 });
    await api.ask({ format: 'prometheus' });
    expect(asked).toEqual([7, 5 * 1024 ** 3]);
  });

  it.each([
    ['no JSON', '{', 400, 'the body is not JSON'],
    ['no object', '[]', 400, 'Invalid input: expected object, received array'],
    ['no format', {}, 400, 'format: takes prometheus, json-lines or influx'],
    ['an unknown format', { format: 'csv' }, 400, 'format: takes prometheus, json-lines or influx'],
    ['an unknown field', { format: 'influx', size: 1 }, 400, 'Unrecognized key: "size"'],
    ['half a byte', { format: 'influx', sizeBytes: 0.5 }, 400, 'sizeBytes: takes a whole number of bytes'],
    [
      'a precision that the format has not',
      { format: 'prometheus', precision: 's' },
      400,
      'precision is for the format influx, not prometheus',
    ],
    [
      'a file that is too large',
      { format: 'influx', sizeBytes: 5 * 1024 ** 3 + 1 },
      413,
      'the file has 5368709121 bytes, an upload takes at most 5368709120',
    ],
    ['a body that is too large', ' '.repeat(20_000), 413, 'the body is larger than 16384 bytes'],
  ])('refuses %s', async (_, body, status, message) => {
    const api = createTestApi();
    const answer = await api.ask(body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { message } });
    expect(api.table.items()).toEqual([]);
  });
});

describe('GET /api/v1/import/uploads/{id}', () => {
  it('tells how far an import is and what it left out', async () => {
    const api = createTestApi();
    const reported = [{ line: 3, column: 9, message: 'expected a value' }];
    const rejections = [{ reason: 'malformed-line', message: 'line 3, column 9: expected a value', count: 2 }];
    await api.table.put({
      ...importItemKey({ tenant: 'a', id: 'x' }),
      state: 'running',
      format: 'prometheus',
      createdAtMs: NOW,
      startedAtMs: NOW + 1_000,
      objectBytes: 10,
      totalBytes: 20,
      lines: 5,
      accepted: 3,
      rejectedLines: 2,
      reported: JSON.stringify(reported),
      rejections: JSON.stringify(rejections),
    });
    expect(await (await api.status('x')).json()).toMatchObject({
      state: 'running',
      startedAt: '2026-11-23T12:00:01.000Z',
      progress: { bytes: 10, totalBytes: 20, lines: 5 },
      accepted: 3,
      rejected: { count: 2, lineCount: 2, lines: reported, reasons: rejections },
    });
  });

  it.each([
    ['an import of another tenant', 'id1', 'token-of-b', 404],
    ['an id that nobody has', 'nobody', 'token-of-a', 404],
    ['an id that cannot be one', encodeURIComponent('../b/id1'), 'token-of-a', 404],
    ['a token without the scope', 'id1', 'reader-of-a', 403],
    ['no known token', 'id1', 'somebody', 401],
  ])('does not tell of %s', async (_, id, token, status) => {
    const api = createTestApi();
    await api.ask({ format: 'prometheus' });
    expect((await api.status(id, token)).status).toBe(status);
  });
});

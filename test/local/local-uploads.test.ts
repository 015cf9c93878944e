import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLocalUploads, readOrMakeSecret, verifyTicket } from '#local/local-uploads.ts';

const secret = new Uint8Array(32).fill(7);
const uploads = createLocalUploads({ secret, url: '/uploads', clock: () => 1_000 });
const presign = () => uploads.presign({ key: 'imports/a/1.csv', maxBytes: 500, expiresInMs: 60_000 });

describe('local uploads', () => {
  it('hands out a ticket that permits its key and size until it expires', async () => {
    const ticket = await presign();
    expect(ticket).toMatchObject({ url: '/uploads', expiresAtMs: 61_000 });
    expect(verifyTicket(secret, ticket.fields, 60_999)).toEqual({ key: 'imports/a/1.csv', maxBytes: 500 });
    expect(() => verifyTicket(secret, ticket.fields, 61_000)).toThrow('expired');
  });

  it.each([
    ['another key', { key: 'imports/b/1.csv' }],
    ['a greater size', { 'max-bytes': '5000' }],
    ['a later end', { 'expires-at-ms': '99999999' }],
    ['a changed signature', { signature: '00'.repeat(32) }],
    ['a signature cut short', { signature: '00' }],
    ['a signature that is not hexadecimal', { signature: 'z'.repeat(64) }],
    ['no signature', { signature: undefined }],
    ['no key', { key: undefined }],
  ])('denies %s', async (_case, change) => {
    const fields = { ...(await presign()).fields, ...change };
    expect(() => verifyTicket(secret, fields, 2_000)).toThrowError(expect.objectContaining({ kind: 'denied' }));
  });

  it('denies a ticket made with another secret, and a form without fields', async () => {
    const { fields } = await presign();
    expect(() => verifyTicket(new Uint8Array(32), fields, 2_000)).toThrowError(expect.objectContaining({ kind: 'denied' }));
    expect(() => verifyTicket(secret, {}, 2_000)).toThrowError(expect.objectContaining({ kind: 'denied' }));
  });

  it.each([
    ['a forbidden key', { key: '../a', maxBytes: 1, expiresInMs: 1 }],
    ['no bytes', { key: 'a', maxBytes: 0, expiresInMs: 1 }],
    ['half a byte', { key: 'a', maxBytes: 0.5, expiresInMs: 1 }],
    ['no time', { key: 'a', maxBytes: 1, expiresInMs: 0 }],
    ['a time that is no number', { key: 'a', maxBytes: 1, expiresInMs: Number.NaN }],
  ])('makes no ticket for %s', async (_case, input) => {
    await expect(uploads.presign(input)).rejects.toMatchObject({ kind: 'input' });
  });

  it('makes one secret for all who open a new folder at once, for its owner only', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-secret-'));
    const path = join(folder, 'upload-secret');
    const secrets = await Promise.all(Array.from({ length: 10 }, () => readOrMakeSecret(path)));
    expect(new Set(secrets.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1);
    expect(secrets[0].length).toBe(32);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['upload-secret']);
    await writeFile(path, 'short');
    await expect(readOrMakeSecret(path)).rejects.toMatchObject({ kind: 'input' });
    await rm(folder, { recursive: true });
  });
});

import type { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKmsClient, createKmsKeyWrap } from '#aws/backup/kms-key-wrap.ts';
import { startServiceServer } from '#test/aws/service-server.ts';
import { credentials, quickRetry } from './table-fixtures.ts';

/** KMS as far as this needs it: the wrapped text names key and context, and is refused under others. */
describe('a key of KMS', () => {
  let server: Awaited<ReturnType<typeof startServiceServer>>;
  let client: KMSClient;
  let fail: string[] = [];
  beforeAll(async () => {
    server = await startServiceServer(({ headers, body }) => {
      const type = fail.shift();
      if (type !== undefined)
        return { status: type === 'KMSInternalException' ? 500 : 400, body: JSON.stringify({ __type: type, message: 'as scripted' }) };
      const { KeyId, Plaintext, CiphertextBlob, EncryptionContext } = JSON.parse(body);
      const lock = JSON.stringify([KeyId, EncryptionContext]);
      if (headers['x-amz-target'] === 'TrentService.Encrypt') {
        return { status: 200, body: JSON.stringify({ CiphertextBlob: Buffer.from(JSON.stringify([lock, Plaintext])).toString('base64') }) };
      }
      const [lockedBy, plain] = JSON.parse(Buffer.from(CiphertextBlob, 'base64').toString());
      if (lockedBy !== lock) return { status: 400, body: JSON.stringify({ __type: 'InvalidCiphertextException' }) };
      return { status: 200, body: JSON.stringify({ Plaintext: plain }) };
    });
    client = await createKmsClient({ endpoint: server.endpoint, region: 'us-east-1', credentials });
  });
  afterAll(() => server.close());

  const wrapOf = (context: Record<string, string>, keyId = 'alias/backups') =>
    createKmsKeyWrap({ client, keyId, context, retry: quickRetry });
  const key = Buffer.from('0123456789abcdef0123456789abcdef');

  it('unwraps what it wrapped, and hands over the context', async () => {
    const wrap = wrapOf({ repository: 'r1' });
    const wrapped = await wrap.wrap(key);
    expect(Buffer.from(wrapped).includes(key)).toBe(false);
    expect(Buffer.from(await wrap.unwrap(wrapped))).toEqual(key);
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ KeyId: 'alias/backups', EncryptionContext: { repository: 'r1' } });
  });

  it.each([
    ['another context', wrapOfLater({ repository: 'r2' })],
    ['another key', wrapOfLater({ repository: 'r1' }, 'alias/other')],
  ])('is denied under %s', async (_case, args) => {
    const wrapped = await wrapOf({ repository: 'r1' }).wrap(key);
    await expect(wrapOf(...args).unwrap(wrapped)).rejects.toMatchObject({ kind: 'denied', hint: expect.stringContaining('context') });
  });

  it.each([
    ['AccessDeniedException', 'denied'],
    ['DisabledException', 'denied'],
    ['KMSInvalidStateException', 'denied'],
    ['NotFoundException', 'missing'],
    ['ValidationException', 'input'],
  ])('says %s as %s at once', async (name, kind) => {
    fail = [name];
    await expect(wrapOf({}).wrap(key)).rejects.toMatchObject({ kind });
    expect(fail).toEqual([]);
  });

  it('tries again what may pass', async () => {
    fail = ['ThrottlingException', 'KMSInternalException'];
    expect(await wrapOf({}).wrap(key)).toBeInstanceOf(Uint8Array);
    fail = ['KeyUnavailableException', 'KeyUnavailableException', 'KeyUnavailableException'];
    await expect(wrapOf({}).wrap(key)).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

function wrapOfLater(...args: [context: Record<string, string>, keyId?: string]) {
  return args;
}

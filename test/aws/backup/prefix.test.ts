import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { openPrefixSource, type PrefixSourceOptions } from '#aws/backup/prefix-source.ts';
import { choosePartBytes, openPrefixTarget, type PrefixTargetOptions } from '#aws/backup/prefix-target.ts';
import { createS3Client } from '#aws/clients.ts';
import { createBucket } from '#aws/create-bucket.ts';
import { S3_START_MS, s3Absence, s3Credentials, s3Endpoint } from '#test/aws/s3-server.ts';
import { gather, quickRetry, restoreAll, type Taken, take, takeAll } from './table-fixtures.ts';

const MiB = 1024 * 1024;

describe.skipIf(s3Absence !== undefined)('a prefix of a bucket as source and target', () => {
  let client: S3Client;
  let buckets = 0;
  beforeAll(async () => {
    client = createS3Client({ endpoint: await s3Endpoint(), region: 'us-east-1', credentials: s3Credentials });
  }, S3_START_MS);

  const newBucket = async (versioned = false) => {
    const bucket = `backup-${process.pid}-${++buckets}`;
    await createBucket(client, bucket);
    if (versioned) await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    return bucket;
  };
  const put = (Bucket: string, Key: string, Body: string | Uint8Array, more: Partial<PutObjectCommandInput> = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const sourceOf = (bucket: string, prefix: string, more: Partial<PrefixSourceOptions> = {}) =>
    openPrefixSource({
      client,
      bucket,
      prefix,
      clock: Date.now,
      retry: { ...quickRetry, sleep: (ms) => new Promise((done) => setTimeout(done, ms)) },
      clockMarginMs: 0,
      ...more,
    });
  const targetOf = (bucket: string, prefix: string, more: Partial<PrefixTargetOptions> = {}) =>
    openPrefixTarget({ client, bucket, prefix, retry: quickRetry, ...more });
  /** Every object below a prefix with all that is known of it. */
  const look = async (bucket: string, prefix: string) => {
    const { items } = await takeAll(sourceOf(bucket, prefix));
    return items.map(({ path, bytes, meta: { versionId: _version, modifiedAt: _at, ...meta } }) => ({
      path,
      meta,
      bytes: Buffer.from(bytes ?? []).toString('latin1'),
    }));
  };
  const body = async (Bucket: string, Key: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []).toString();
  };

  it('comes back below another prefix with bytes, headers, metadata, tags and class', async () => {
    const bucket = await newBucket();
    const rich = {
      ContentType: 'image/png',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      ContentDisposition: 'attachment; filename="a b.png"',
      CacheControl: 'max-age=5',
      Metadata: { owner: 'shop', 'x-y': 'a=b' },
      Tagging: 'team=shop&a%20b=c%26d',
      StorageClass: 'STANDARD_IA',
    } as const;
    await put(bucket, 'from/rich', 'picture', rich);
    await put(bucket, 'from/empty', '');
    await put(bucket, 'from/a/b c+ü😀', 'name');
    await put(bucket, 'elsewhere', 'not this');
    const { items, faults } = await takeAll(sourceOf(bucket, 'from/'));
    expect(faults).toEqual([]);
    expect(items.map(({ path }) => path)).toEqual(['objects/a/b c+ü😀', 'objects/empty', 'objects/rich']);
    expect(await restoreAll(targetOf(bucket, 'to/'), items, 3)).toEqual([]);
    expect(await look(bucket, 'to/')).toEqual(await look(bucket, 'from/'));
    expect(await client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'to/rich' }))).toMatchObject({
      ContentType: 'image/png',
      CacheControl: 'max-age=5',
      Metadata: { owner: 'shop' },
    });
    expect((await client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: 'to/rich' }))).TagSet).toEqual(
      expect.arrayContaining([{ Key: 'a b', Value: 'c&d' }]),
    );
  });

  it('takes keys that can be no paths, and puts them back under their own names', async () => {
    const bucket = await newBucket();
    const keys = ['p/', 'p//a', 'p/../b', 'p/./c', 'p/d/', 'p/d', 'p/d/e', 'p/d-e'];
    for (const key of keys) await put(bucket, key, key);
    const { items } = await takeAll(sourceOf(bucket, 'p/'));
    const paths = items.map(({ path }) => path);
    expect(paths).toEqual([...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const path of paths) expect(path.split('/').every((segment) => !['', '.', '..'].includes(segment))).toBe(true);
    expect(items.map(({ bytes }) => Buffer.from(bytes ?? []).toString()).sort()).toEqual([...keys].sort());
    const other = await newBucket();
    await restoreAll(targetOf(other, 'p/'), items);
    for (const key of keys) expect(await body(other, key)).toBe(key);
    for (const [index, { cursor }] of items.entries()) {
      expect((await takeAll(sourceOf(bucket, 'p/'), cursor)).items.map(({ path }) => path)).toEqual(paths.slice(index + 1));
    }
  });

  it('gives pages of many keys in the order of their bytes, and goes on from any cursor', async () => {
    const bucket = await newBucket();
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => put(bucket, `k/${['\u{10000}', '\uffee', 'a', 'Z', '-'][i % 5]}${i}`, String(i))),
    );
    const { items } = await takeAll(sourceOf(bucket, 'k/', { tags: false, parallel: 4 }));
    const paths = items.map(({ path }) => path);
    expect(paths).toHaveLength(40);
    expect(paths).toEqual([...paths].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    const rest = await takeAll(sourceOf(bucket, 'k/', { tags: false }), items[17]?.cursor);
    expect(rest.items.map(({ path }) => path)).toEqual(paths.slice(18));
  });

  it('changes a stamp with every put, and keeps it otherwise', async () => {
    const bucket = await newBucket(true);
    await put(bucket, 'a', '1');
    const stamp = async () => (await takeAll(sourceOf(bucket, ''))).items[0]?.stamp;
    const first = await stamp();
    expect(await stamp()).toBe(first);
    await put(bucket, 'a', '1');
    expect(await stamp()).not.toBe(first);
  });

  it('reads an object from any offset, and large ones in parts', async () => {
    const bucket = await newBucket();
    const large = Buffer.alloc(11 * MiB, 'abcdefghijk');
    const taken: Taken = { path: 'objects/large', kind: 'object', meta: { key: 'large' }, cursor: '', bytes: large };
    await restoreAll(targetOf(bucket, '', { partBytes: 5 * MiB }), [taken], 700_000);
    for await (const item of sourceOf(bucket, '').list({ onFault: () => undefined })) {
      expect(item.meta.etag).toMatch(/-3"$/);
      const rest = Buffer.concat(await gather(item.open!(6_000_000)));
      expect(rest.equals(large.subarray(6_000_000))).toBe(true);
      // It gets the ETag that it had, and is known again.
      await restoreAll(targetOf(bucket, 'again/'), [await take(item)], 700_000);
      expect(await targetOf(bucket, 'again/').plan({ ...item, sizeBytes: large.length })).toBe('keep');
      break;
    }
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
  });

  it.each<[number, string | undefined, number]>([
    [100, undefined, 16 * MiB],
    [100, '"d41d8cd98f00b204e9800998ecf8427e"', 16 * MiB],
    [100 * MiB, '"d41d8cd98f00b204e9800998ecf8427e-13"', 8 * MiB],
    [100 * MiB, '"d41d8cd98f00b204e9800998ecf8427e-20"', 5 * MiB],
    [5_000_000 * MiB, undefined, 500 * MiB],
  ])('cuts %d bytes with the ETag %s into parts of %d', (sizeBytes, etag, partBytes) => {
    expect(choosePartBytes(16 * MiB, sizeBytes, etag)).toBe(partBytes);
  });

  it('is read as of one instant, whatever is put and deleted after it', async () => {
    const bucket = await newBucket(true);
    await put(bucket, 'p/kept', 'old');
    await put(bucket, 'p/deleted later', 'still there');
    await put(bucket, 'p/gone before', 'gone');
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'p/gone before' }));
    const source = sourceOf(bucket, 'p/', { versions: 'moment', parallel: 1 });
    const iterator = source.list({ onFault: (fault) => expect(fault).toBeUndefined() })[Symbol.asyncIterator]();
    const first = await iterator.next();
    await put(bucket, 'p/kept', 'new');
    await put(bucket, 'p/newer', 'new');
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'p/deleted later' }));
    const again = sourceOf(bucket, 'p/', { versions: 'moment' });
    const rest = await takeAll(again, first.value.cursor);
    const all = [await take(first.value), ...rest.items];
    expect(all.map(({ path, bytes }) => [path, Buffer.from(bytes ?? []).toString()])).toEqual([
      ['objects/deleted later', 'still there'],
      ['objects/kept', 'old'],
    ]);
    expect(await source.guarantee()).toMatchObject({ consistency: 'moment' });
    expect(await again.guarantee()).toEqual(await source.guarantee());
  });

  it('comes with every version and deletion, and goes back as that history', async () => {
    const bucket = await newBucket(true);
    for (const text of ['1', '2', '3']) await put(bucket, 'h/a', text);
    await put(bucket, 'h/a-b', 'x');
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'h/a-b' }));
    await put(bucket, 'h/a/b', 'y');
    const { items } = await takeAll(sourceOf(bucket, 'h/', { versions: 'all' }));
    const paths = items.map(({ path }) => path);
    expect(paths).toEqual([...paths].sort());
    expect(items.map(({ kind, bytes, meta }) => [meta.key, kind, Buffer.from(bytes ?? []).toString()])).toEqual([
      ['a', 'object', '1'],
      ['a', 'object', '2'],
      ['a', 'object', '3'],
      ['a-b', 'object', 'x'],
      ['a-b', 'delete-marker', ''],
      ['a/b', 'object', 'y'],
    ]);
    for (const [index, { cursor }] of items.entries()) {
      expect((await takeAll(sourceOf(bucket, 'h/', { versions: 'all' }), cursor)).items.map(({ path }) => path)).toEqual(
        paths.slice(index + 1),
      );
    }
    const other = await newBucket(true);
    await restoreAll(targetOf(other, 'h/'), items);
    const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: other }));
    expect(Versions).toHaveLength(5);
    expect(DeleteMarkers.map(({ Key }) => Key)).toEqual(['h/a-b']);
    expect(await body(other, 'h/a')).toBe('3');
  });

  it.each(['moment', 'all'] as const)('cannot be had as %s from a bucket without versions', async (versions) => {
    await expect(takeAll(sourceOf(await newBucket(), '', { versions }))).rejects.toMatchObject({ kind: 'input' });
  });

  it('is missing where there is no bucket', async () => {
    await expect(takeAll(sourceOf('there-is-no-such-bucket', ''))).rejects.toMatchObject({ kind: 'missing' });
  });

  it('tells of an object that is gone when it is looked at, and goes on', async () => {
    const bucket = await newBucket();
    for (const key of ['a', 'b', 'c']) await put(bucket, key, key);
    const losing = new Proxy(client, {
      get(target, name) {
        if (name !== 'send') return Reflect.get(target, name);
        return async (command: object) => {
          if (command instanceof HeadObjectCommand && command.input.Key === 'b')
            await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'b' }));
          return await target.send(command as HeadObjectCommand);
        };
      },
    });
    const { items, faults } = await takeAll(sourceOf(bucket, '', { client: losing }));
    expect(items.map(({ path }) => path)).toEqual(['objects/a', 'objects/c']);
    expect(faults).toEqual([{ path: 'objects/b', message: expect.stringContaining('does not exist') }]);
  });

  it.each<[string, (bucket: string) => Promise<unknown>, string]>([
    ['deleted', (Bucket) => client.send(new DeleteObjectCommand({ Bucket, Key: 'a' })), 'missing'],
    ['replaced', (bucket) => put(bucket, 'a', 'other'), 'conflict'],
  ])('fails for an object that is %s between look and read', async (_case, change, kind) => {
    const bucket = await newBucket();
    await put(bucket, 'a', 'first');
    for await (const item of sourceOf(bucket, '').list({ onFault: () => undefined })) {
      await change(bucket);
      await expect(take(item)).rejects.toMatchObject({ kind });
    }
  });

  describe('when it is restored', () => {
    const taken = (key: string, text: string, more: Partial<Taken> = {}): Taken => ({
      path: `objects/${key}`,
      kind: 'object',
      meta: { key },
      cursor: '',
      bytes: Buffer.from(text),
      ...more,
    });

    it('replaces nothing unless told to', async () => {
      const bucket = await newBucket();
      await put(bucket, 'a', 'mine');
      await expect(restoreAll(targetOf(bucket, ''), [taken('a', 'theirs')])).rejects.toMatchObject({ kind: 'conflict' });
      await expect(restoreAll(targetOf(bucket, '', { partBytes: 5 * MiB }), [taken('a', 'x'.repeat(6 * MiB))])).rejects.toMatchObject({
        kind: 'conflict',
      });
      expect(await body(bucket, 'a')).toBe('mine');
      await restoreAll(targetOf(bucket, '', { overwrite: true }), [taken('a', 'theirs')]);
      expect(await body(bucket, 'a')).toBe('theirs');
    });

    it('plans what it would do', async () => {
      const bucket = await newBucket();
      await put(bucket, 'p/a', 'same');
      const [item] = (await takeAll(sourceOf(bucket, 'p/'))).items;
      const plan = (meta: Taken['meta'], sizeBytes: number) =>
        targetOf(bucket, 'p/').plan({ path: 'objects/a', kind: 'object', meta, sizeBytes });
      expect(await plan(item?.meta ?? {}, 4)).toBe('keep');
      expect(await plan({ ...item?.meta, etag: '"0"' }, 4)).toBe('replace');
      expect(await plan({ key: 'new' }, 4)).toBe('create');
    });

    it('takes files of a folder by their paths', async () => {
      const bucket = await newBucket();
      await restoreAll(targetOf(bucket, 'f/'), [
        { path: 'docs', kind: 'dir', meta: { mode: 0o755 }, cursor: '' },
        { path: 'docs/a.txt', kind: 'file', meta: { mode: 0o644, metadata: 'of another kind' }, cursor: '', bytes: Buffer.from('text') },
      ]);
      expect(await body(bucket, 'f/docs/a.txt')).toBe('text');
    });

    it.each<[string, Taken]>([
      ['is no object', taken('a', '', { kind: 'symlink' })],
      ['has too long a key', taken('k'.repeat(1_025), '')],
      ['has no metadata of an object', taken('a', '', { meta: { headers: 1 } })],
    ])('refuses what %s', async (_case, item) => {
      await expect(restoreAll(targetOf(await newBucket(), ''), [item])).rejects.toMatchObject({ kind: 'input' });
    });

    it('leaves nothing of an object whose bytes end early', async () => {
      const bucket = await newBucket();
      const target = targetOf(bucket, '', { partBytes: 5 * MiB });
      for (const [key, had, said] of [
        ['small', 3, 5],
        ['large', 7 * MiB, 8 * MiB],
      ] as const) {
        const content = (async function* () {
          yield Buffer.alloc(had);
        })();
        await expect(target.write({ path: key, kind: 'object', meta: { key }, sizeBytes: said, content })).rejects.toMatchObject({
          kind: 'input',
        });
      }
      expect((await takeAll(sourceOf(bucket, ''))).items).toEqual([]);
      expect((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).toEqual([]);
    });
  });
});

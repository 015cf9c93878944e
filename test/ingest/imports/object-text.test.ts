import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OpsError } from '#core/errors.ts';
import { decideEncoding, readObjectText } from '#ingest/imports/object-text.ts';
import { cutAtFrames } from '#ingest/imports/zstd-frames.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';

const KEY = 'imports/t/1';
const text = Buffer.from(Array.from({ length: 300_000 }, (_, i) => `metric{i="${i % 97}"} ${i * 7919} ${i}\n`).join(''));
const skippable = Buffer.concat([Buffer.from([0x55, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('xyz')]);
const zstdFrames = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces.flatMap((piece) => [skippable, zstdCompressSync(piece)]));

async function readText(object: Uint8Array, input: { encoding?: 'gzip' | 'zstd' | 'identity'; fromBytes?: number } = {}): Promise<Buffer> {
  const blobs = createMemoryBlobs();
  await blobs.put(KEY, object);
  const chunks: Uint8Array[] = [];
  const { encoding, fromBytes = 0 } = input;
  const onRead = async () => undefined;
  for await (const chunk of readObjectText(blobs, { key: KEY, sizeBytes: object.length, encoding, fromBytes, onRead })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('readObjectText', () => {
  it.each([
    ['plain text of several ranges', text],
    ['gzip', gzipSync(text)],
    ['gzip of several members', Buffer.concat([gzipSync(text.subarray(0, 1_000)), gzipSync(text.subarray(1_000))])],
    ['zstd', zstdCompressSync(text)],
    ['zstd of several frames', zstdFrames([text.subarray(0, 10), text.subarray(10, 5_000_000), text.subarray(5_000_000)])],
    ['zstd joined to zstd', Buffer.concat([zstdCompressSync(text.subarray(0, 9)), zstdCompressSync(text.subarray(9))])],
  ])('reads %s, whole and from any byte on', async (_, object) => {
    expect((await readText(object)).equals(text)).toBe(true);
    for (const fromBytes of [1, 2_097_152, 3_000_001, text.length - 1, text.length]) {
      expect((await readText(object, { fromBytes })).equals(text.subarray(fromBytes))).toBe(true);
    }
  });

  it('has nothing to read in an empty object', async () => {
    expect(await readText(new Uint8Array())).toHaveLength(0);
    expect(await readText(gzipSync(''))).toHaveLength(0);
    expect(await readText(zstdCompressSync(''))).toHaveLength(0);
  });

  it.each([
    ['gzip that is cut off', gzipSync(text).subarray(0, -9), /^the file is not valid gzip: unexpected end of file/],
    ['zstd that is cut off', zstdCompressSync(text).subarray(0, -9), /^the file is not valid zstd: unexpected end of file/],
    ['gzip with damage inside', damaged(gzipSync(text), 5_000), /^the file is not valid gzip: /],
    [
      'zstd with damage inside',
      damaged(zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }), 5_000),
      /^the file is not valid zstd: /,
    ],
    ['something behind a zstd frame', Buffer.concat([zstdCompressSync('a 1\n'), Buffer.from('a 2\n')]), /something that is no frame/],
    ['something behind a gzip member', Buffer.concat([gzipSync('a 1\n'), Buffer.from('a 2\n')]), /^the file is not valid gzip: /],
    [
      'a zstd frame that asks for gigabytes',
      Buffer.from('28b52ffd00c8010000', 'hex'),
      /^the file is not valid zstd: .*[Mm]emory|[Ww]indow/,
    ],
  ])('refuses %s', async (_, object, message) => {
    await expect(readText(object).then(String)).rejects.toThrow(message);
    await expect(readText(object)).rejects.toMatchObject({ kind: 'input' });
  });

  it('ends with what the store, or whoever is told of reads, fails with', async () => {
    const blobs = createMemoryBlobs();
    const object = zstdFrames([text, text]);
    await blobs.put(KEY, object);
    const error = new OpsError('conflict', 'somebody else has it');
    const onRead = async (bytes: number) => {
      if (bytes > 2_000_000) throw error;
    };
    const read = async () => {
      for await (const _ of readObjectText(blobs, { key: KEY, sizeBytes: 5_000_000, encoding: undefined, fromBytes: 0, onRead }));
    };
    await expect(read()).rejects.toBe(object.length > 2_097_152 ? error : expect.anything());
    await expect(readText(Buffer.from('a 1'), { encoding: 'gzip' })).rejects.toThrow(
      'the file was said to be gzip, and does not begin as gzip does',
    );
  });

  it('believes the first bytes before what was said', () => {
    expect(decideEncoding(gzipSync('x').subarray(0, 4), 'zstd')).toBe('gzip');
    expect(decideEncoding(Buffer.from('up 1'), undefined)).toBe('identity');
    expect(decideEncoding(skippable.subarray(0, 4), undefined)).toBe('zstd');
  });
});

describe('cutAtFrames', () => {
  it('gives every frame whole and none together with another, however the file is chunked', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 60 }), async (bodies, size) => {
        const frames = bodies.map((body) => zstdCompressSync(body));
        const file = Buffer.concat(frames.flatMap((frame) => [skippable, frame]));
        const cut: Uint8Array[] = [];
        for await (const piece of cutAtFrames(chunksOf(file, size))) cut.push(piece);
        expect(Buffer.concat(cut).equals(Buffer.concat(frames))).toBe(true);
        const ends = new Set(frames.map((_, i) => frames.slice(0, i + 1).reduce((sum, frame) => sum + frame.length, 0)));
        let at = 0;
        for (const piece of cut) {
          for (const end of ends) expect(end > at && end < at + piece.length).toBe(false);
          at += piece.length;
        }
      }),
    );
  });
});

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function damaged(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let i = at; i < at + 64; i++) copy[i] = (copy[i] as number) ^ 0x5a;
  return copy;
}

import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { decodeBody } from '#ingest/body.ts';

const limits = { maxCompressedBytes: 100_000, maxBodyBytes: 1_000_000 };
const plain = Buffer.from('a body of some length, '.repeat(100));

const encoders: readonly [string, string | undefined, (bytes: Uint8Array) => Uint8Array][] = [
  ['no encoding', undefined, (bytes) => bytes],
  ['identity', 'identity', (bytes) => bytes],
  ['gzip', 'gzip', (bytes) => gzipSync(bytes)],
  ['gzip by its old name and in capitals', 'X-GZIP', (bytes) => gzipSync(bytes)],
  ['deflate with the header of zlib', 'deflate', (bytes) => deflateSync(bytes)],
  ['deflate without a header', 'deflate', (bytes) => deflateRawSync(bytes)],
  ['zstd', ' zstd ', (bytes) => zstdCompressSync(bytes)],
  ['snappy blocks', 'snappy', (bytes) => compressSync(Buffer.from(bytes))],
];

const failure = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (isOpsError(error)) return `${error.kind}: ${error.message}`;
    throw error;
  }
  return 'no error';
};

describe('decodeBody', () => {
  it.each(encoders)('undoes %s', (_name, encoding, encode) => {
    expect(Buffer.from(decodeBody(encode(plain), encoding, limits)).equals(plain)).toBe(true);
    expect(decodeBody(encode(new Uint8Array(0)), encoding, limits).length).toBe(0);
  });

  it.each(encoders.slice(2))('cuts off a bomb in %s', (_name, encoding, encode) => {
    const bomb = encode(Buffer.alloc(limits.maxBodyBytes + 1));
    expect(failure(() => decodeBody(bomb, encoding, limits))).toMatch(/^limit: the decompressed body .*1000000 bytes$/);
    expect(decodeBody(encode(Buffer.alloc(limits.maxBodyBytes)), encoding, limits).length).toBe(limits.maxBodyBytes);
  });

  it('stops a gzip bomb long before its end', () => {
    const bomb = gzipSync(Buffer.alloc(60_000_000));
    const before = process.memoryUsage().arrayBuffers;
    expect(failure(() => decodeBody(bomb, 'gzip', limits))).toMatch(/^limit/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });

  it.each(encoders.slice(2))('calls truncated or damaged %s bad input', (_name, encoding, encode) => {
    const whole = encode(Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7_919) % 251)));
    expect(failure(() => decodeBody(whole.subarray(0, whole.length - 20), encoding, limits))).toMatch(/^input/);
    expect(failure(() => decodeBody(Buffer.from([0x30, ...whole.subarray(1, 40)]), encoding, limits))).toMatch(/^input/);
    expect(failure(() => decodeBody(new Uint8Array(0), encoding, limits))).toMatch(/^input|^no error/);
  });

  it('refuses a body over the compressed limit, and a plain one over the other', () => {
    expect(failure(() => decodeBody(new Uint8Array(100_001), 'gzip', limits))).toBe(
      'limit: the compressed body has 100001 bytes, the limit is 100000 bytes',
    );
    expect(failure(() => decodeBody(new Uint8Array(1_000_001), undefined, limits))).toBe(
      'limit: the body has 1000001 bytes, the limit is 1000000 bytes',
    );
  });

  it('names the encodings it takes', () => {
    try {
      decodeBody(plain, 'br', limits);
      expect.unreachable();
    } catch (error) {
      expect(isOpsError(error, 'input') && error.hint).toBe('Send one of identity, gzip, deflate, zstd, snappy.');
    }
  });

  it('refuses framed snappy by name', () => {
    const framed = Uint8Array.of(0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59, 0, 1, 2);
    expect(failure(() => decodeBody(framed, 'snappy', limits))).toBe('input: the body is snappy in the framed (stream) format');
  });

  it('holds the length that snappy declares against the limit and against the bytes there are', () => {
    expect(failure(() => decodeBody(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0), 'snappy', limits))).toMatch(/^limit: .*4294967295/);
    expect(failure(() => decodeBody(Uint8Array.of(0xa0, 0x8d, 0x06, 0), 'snappy', limits))).toBe(
      'input: the body is not valid snappy: 4 bytes cannot hold 100000',
    );
  });

  it('throws nothing but an OpsError whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('gzip', 'deflate', 'zstd', 'snappy', 'identity', 'x'),
        (bytes, encoding) => {
          failure(() => decodeBody(bytes, encoding, limits));
        },
      ),
    );
  });

  it('undoes what was flipped or throws an OpsError', () => {
    const encoded = encoders.slice(2).map(([, encoding, encode]) => [encoding as string, encode(plain)] as const);
    fc.assert(
      fc.property(fc.constantFrom(...encoded), fc.nat(), fc.integer({ min: 1, max: 255 }), ([encoding, bytes], at, flip) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at % damaged.length] = (damaged[at % damaged.length] as number) ^ flip;
        failure(() => decodeBody(damaged, encoding, limits));
      }),
    );
  });
});

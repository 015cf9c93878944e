import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpsError } from '#core/errors.ts';
import { formBoundary, readUploadForm } from '#local/form-stream.ts';

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

async function readAll(bytes: Uint8Array | string, boundary = 'b', sizes: readonly number[] = []) {
  const { fields, file } = await readUploadForm(chunksOf(Buffer.from(bytes), sizes), boundary);
  const pieces: Uint8Array[] = [];
  for await (const piece of file) pieces.push(piece);
  return { fields, file: Buffer.concat(pieces) };
}

const part = (name: string, value: string, boundary = 'b') =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

describe('readUploadForm', () => {
  it('gives the fields, and every byte of the file, however the form is chunked', async () => {
    // Bytes of which boundaries are made, so that the file holds beginnings of them.
    const file = fc.array(fc.constantFrom('\r', '\n', '-', 'b', '\r\n--', 'x'), { maxLength: 60 }).map((pieces) => pieces.join(''));
    const sizes = fc.array(fc.nat({ max: 9 }), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(file, sizes, async (content, cuts) => {
        fc.pre(!content.includes('\r\n--bb'));
        const form = `${part('key', 'imports/t/1', 'bb')}${part('signature', '', 'bb')}--bb\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: text/plain\r\n\r\n${content}\r\n--bb--\r\n`;
        const read = await readAll(form, 'bb', cuts);
        expect(read).toEqual({ fields: { key: 'imports/t/1', signature: '' }, file: Buffer.from(content) });
      }),
    );
  });

  it("reads what the platform's own forms are serialised to", async () => {
    const data = new FormData();
    data.append('key', 'imports/t/\u00e9');
    data.append('file', new Blob([Buffer.from([0, 255, 13, 10])]), 'x.bin');
    const request = new Request('http://here', { method: 'POST', body: data });
    const read = await readAll(new Uint8Array(await request.arrayBuffer()), formBoundary(request.headers.get('content-type') ?? ''));
    expect(read).toEqual({ fields: { key: 'imports/t/\u00e9' }, file: Buffer.from([0, 255, 13, 10]) });
  });

  it('leaves aside what stands before the form and behind its file', async () => {
    const form = `before\r\n${part('a', '1')}${part('file', 'x')}${part('late', '2')}--b--`;
    expect(await readAll(form)).toEqual({ fields: { a: '1' }, file: Buffer.from('x') });
  });

  it('reads or refuses any form, however it is chunked', async () => {
    const piece = fc.constantFrom(
      '--b',
      '\r\n',
      '\r\n\r\n',
      '--',
      'Content-Disposition: form-data;',
      ' name="file"',
      ' name=__proto__',
      ' name=""',
      '\0',
      '\u00ff',
      'b',
    );
    const form = fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 20 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(form, fc.array(fc.nat({ max: 9 }), { maxLength: 20 }), async (text, sizes) => {
        const read = await readAll(text, 'b', sizes).catch((error: unknown) => error);
        if (read instanceof Error) expect(isOpsError(read, 'input') || isOpsError(read, 'limit')).toBe(true);
        else expect(read).toHaveProperty('file');
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['nothing', '', 'input', 'the form ends before the end of the first part'],
    ['no boundary', 'x'.repeat(40_000), 'limit', 'the first part of the form has more than 16384 bytes'],
    ['no file', `${part('a', '1')}--b--\r\n`, 'input', 'the form has no part called "file"'],
    ['a file without an end', part('file', 'xyz').slice(0, -1), 'input', 'the form ends before the end of its file'],
    ['a part without a name', '--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--', 'input', 'a part of the form has no name'],
    ['endless headers', `--b\r\n${'x: y\r\n'.repeat(10_000)}`, 'limit', 'the headers of a part of the form has more than 16384 bytes'],
    ['an endless field', part('a', 'x'.repeat(40_000)), 'limit', 'a field of the form has more than 16384 bytes'],
    ['endless fields', part('a', '1').repeat(100), 'limit', 'the form has more than 64 fields before its file'],
    ['an endless rest', `${part('file', 'x')}--b--${'x'.repeat(100_000)}`, 'input', 'more than 16384 bytes stand behind the file'],
  ])('refuses a form with %s', async (_, form, kind, message) => {
    await expect(readAll(form, 'b', Array<number>(200).fill(1_000))).rejects.toMatchObject({ kind, message });
  });
});

describe('formBoundary', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data; charset=utf-8; boundary="a b"', 'a b'],
  ])('reads %s', (contentType, boundary) => expect(formBoundary(contentType)).toBe(boundary));

  it.each([
    undefined,
    'text/plain',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary=${'x'.repeat(71)} y`,
  ])('refuses %s', (contentType) => expect(() => formBoundary(contentType)).toThrow('is not multipart/form-data with a boundary'));
});

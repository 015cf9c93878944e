import { OpsError } from '#core/errors.ts';

/** A form with a file behind its fields. */
export interface UploadForm {
  /** Those before the file; of a repeated one the last. */
  readonly fields: Readonly<Record<string, string>>;
  /** The file's bytes as they come, to be read once. */
  readonly file: AsyncIterable<Uint8Array>;
}

const MAX_FIELDS = 64;
const MAX_FIELD_BYTES = 16 * 1024;
/** Before the first part, and behind the file. */
const MAX_AROUND_BYTES = 16 * 1024;

/** The boundary that a multipart/form-data content type names; `input` for any other content type. */
export function formBoundary(contentType: string | undefined): string {
  const match = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(contentType ?? '');
  const boundary = match?.[1] ?? match?.[2];
  if (boundary) return boundary;
  throw new OpsError(
    'input',
    `the content type ${JSON.stringify((contentType ?? '').slice(0, 80))} is not multipart/form-data with a boundary`,
  );
}

/**
 * Reads a multipart form (RFC 7578) up to its part called `file`, which comes as a stream; what stands behind that part is left
 * aside, as S3 does. Holds one chunk and one field at a time. `input` where it is no such form or ends early, also while the file
 * is read; `limit` for fields that are too many or too long.
 */
export async function readUploadForm(chunks: AsyncIterable<Uint8Array>, boundary: string): Promise<UploadForm> {
  const reader = createByteReader(chunks);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const fields = new Map<string, string>();
  await reader.takeUntil(delimiter, MAX_AROUND_BYTES, 'the first part');
  for (let count = 0; ; count++) {
    const rest = await reader.takeUntil(Buffer.from('\r\n'), 128, 'a part');
    if (rest.toString('latin1').startsWith('--')) throw new OpsError('input', 'the form has no part called "file"');
    const name = partName((await reader.takeUntil(Buffer.from('\r\n\r\n'), MAX_FIELD_BYTES, 'the headers of a part')).toString('utf8'));
    if (name === 'file') return { fields: Object.fromEntries(fields), file: reader.streamUntil(delimiter) };
    if (count >= MAX_FIELDS) throw new OpsError('limit', `the form has more than ${MAX_FIELDS} fields before its file`);
    fields.set(name, (await reader.takeUntil(delimiter, MAX_FIELD_BYTES, 'a field')).toString('utf8'));
  }
}

function partName(headers: string): string {
  const disposition = headers.split('\r\n').find((line) => /^content-disposition:/i.test(line));
  const match = /;\s*name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition ?? '');
  const name = match?.[1] ?? match?.[2];
  if (name === undefined) throw new OpsError('input', 'a part of the form has no name');
  return name;
}

interface ByteReader {
  /** The bytes before the delimiter, which is left out; it must come within `maxBytes`. */
  takeUntil(delimiter: Buffer, maxBytes: number, what: string): Promise<Buffer>;
  /** The same in pieces, of any length; then reads on to the end of the stream. */
  streamUntil(delimiter: Buffer): AsyncIterable<Uint8Array>;
}

function createByteReader(chunks: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = chunks[Symbol.asyncIterator]();
  // The first delimiter may stand at the very beginning, without its line end.
  let held = Buffer.from('\r\n');
  const readMore = async () => {
    const next = await iterator.next();
    if (!next.done) held = Buffer.concat([held, next.value]);
    return !next.done;
  };
  return {
    async takeUntil(delimiter, maxBytes, what) {
      for (;;) {
        const at = held.indexOf(delimiter);
        if (at > maxBytes || (at < 0 && held.length > maxBytes + delimiter.length)) {
          throw new OpsError('limit', `${what} of the form has more than ${maxBytes} bytes`);
        }
        if (at >= 0) {
          const taken = held.subarray(0, at);
          held = held.subarray(at + delimiter.length);
          return taken;
        }
        if (!(await readMore())) throw new OpsError('input', `the form ends before the end of ${what}`);
      }
    },
    async *streamUntil(delimiter) {
      for (;;) {
        const at = held.indexOf(delimiter);
        const end = at >= 0 ? at : Math.max(0, held.length - delimiter.length + 1);
        if (end > 0) yield held.subarray(0, end);
        held = held.subarray(at >= 0 ? at + delimiter.length : end);
        if (at >= 0) break;
        if (!(await readMore())) throw new OpsError('input', 'the form ends before the end of its file');
      }
      for (let behind = held.length; behind <= MAX_AROUND_BYTES; behind += held.length) {
        held = Buffer.alloc(0);
        if (!(await readMore())) return;
      }
      throw new OpsError('input', `more than ${MAX_AROUND_BYTES} bytes stand behind the file`);
    },
  };
}

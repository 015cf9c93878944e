import { OpsError } from '#core/errors.ts';

/** A request's body as it came, cut off at `maxBytes` (`limit`): by its declared length if there is one, while reading if not. */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  if (Number.isFinite(declared)) {
    const bytes = new Uint8Array(await request.arrayBuffer().catch(cutOff));
    if (bytes.length > maxBytes) throw tooLarge(maxBytes);
    return bytes;
  }
  return readStream(request, maxBytes);
}

async function readStream(request: Request, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of wholeBody(request)) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* wholeBody(request: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* request.body ?? [];
  } catch (cause) {
    cutOff(cause);
  }
}

/** The connection failed, or what came is no HTTP: nobody hears the answer, but it is no defect of ours that is reported. */
function cutOff(cause: unknown): never {
  throw new OpsError('input', 'the body broke off before its end', { cause });
}

function tooLarge(maxBytes: number): OpsError {
  return new OpsError('limit', `the body is larger than ${maxBytes} bytes`, {
    hint: 'Send smaller batches, or ask for an upload: POST /api/v1/import/uploads.',
  });
}

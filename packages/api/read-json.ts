import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { readBody } from './read-body.ts';

/** The body of a request as a schema has it; `input` with every field that is wrong, `limit` for a larger one. */
export async function readJson<T extends z.ZodType>(request: Request, schema: T, maxBytes: number): Promise<z.infer<T>> {
  return parseJson(await readBody(request, maxBytes), schema);
}

/** Bytes as a schema has them; `input` for what is no JSON in UTF-8, or is not as the schema says. */
function parseJson<T extends z.ZodType>(bytes: Uint8Array, schema: T): z.infer<T> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), refusePrototype);
  } catch (cause) {
    if (cause instanceof OpsError) throw cause;
    throw new OpsError('input', 'the body is not JSON', { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new OpsError('input', `the body is not as it is taken here: ${z.prettifyError(parsed.error).slice(0, 2_000)}`);
  return parsed.data;
}

/** Schemas would pass over the key in silence. */
function refusePrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new OpsError('input', 'the body has a key __proto__, which nothing here takes');
  return value;
}

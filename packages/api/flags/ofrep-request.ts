import type { ApiContext } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import { isOpsError } from '#core/errors.ts';
import { parseBoundedJson } from '#flags/bounded-json.ts';

/** OFREP's errors, as far as a request can have them. */
export type OfrepErrorCode = 'PARSE_ERROR' | 'TARGETING_KEY_MISSING' | 'INVALID_CONTEXT' | 'GENERAL' | 'FLAG_NOT_FOUND';

/** A request's context, or what is wrong with it. */
export type ReadContext =
  | { readonly context: Readonly<Record<string, unknown>>; readonly text: string }
  | { readonly errorCode: OfrepErrorCode; readonly errorDetails: string };

const MAX_BYTES = 256 * 1024;

/**
 * The evaluation context of a request. OFREP asks for a targetingKey in each; only what needs one is refused without, since OpenFeature's SDKs
 * send what the application gave them. No body is an empty context, as with flagd.
 */
export async function readContext(c: ApiContext): Promise<ReadContext> {
  let text: string;
  let body: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readBody(c.req.raw, MAX_BYTES));
    body = text.trim() === '' ? {} : parseBoundedJson(text);
  } catch (error) {
    if (isOpsError(error, 'limit')) return { errorCode: 'INVALID_CONTEXT', errorDetails: `the request has more than ${MAX_BYTES} bytes` };
    if (isOpsError(error, 'input')) return { errorCode: 'PARSE_ERROR', errorDetails: `the request ${error.message}` };
    if (error instanceof TypeError) return { errorCode: 'PARSE_ERROR', errorDetails: 'the request is not UTF-8' };
    throw error;
  }
  if (!isObject(body)) return { errorCode: 'INVALID_CONTEXT', errorDetails: 'the request is no object with a context' };
  const context = Object.hasOwn(body, 'context') ? body.context : {};
  if (!isObject(context)) return { errorCode: 'INVALID_CONTEXT', errorDetails: 'the context is no object' };
  const key = Object.hasOwn(context, 'targetingKey') ? context.targetingKey : undefined;
  if (key !== undefined && key !== null && typeof key !== 'string')
    return { errorCode: 'INVALID_CONTEXT', errorDetails: 'targetingKey is no text' };
  return { context, text };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

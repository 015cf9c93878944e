import type { ApiContext } from '#api/api-env.ts';
import { isOpsError, type OpsError } from '#core/errors.ts';
import type { Tier } from '#model/tier.ts';
import type { ReadStats } from '#ports/sample-source.ts';
import { queryErrorType } from '#query/query-errors.ts';
import { type ErrorType, errorJson, statusOfErrorType } from './response.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** What an answer cost, for its headers. */
export interface Cost {
  readonly read: ReadStats;
  readonly tiers: readonly Tier[];
}

/** A good answer, with what it cost. */
export function answer(c: ApiContext, body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>, cost?: Cost): Response {
  const headers: Record<string, string> = { ...JSON_TYPE };
  if (cost) {
    const { objects, requests, bytes, samples } = cost.read;
    headers['x-quarterdeck-read'] = `objects=${objects}, requests=${requests}, bytes=${bytes}, samples=${samples}`;
    headers['x-quarterdeck-tier'] = cost.tiers.join(', ') || 'none';
  }
  return c.body(body, 200, headers);
}

/** Runs a handler; what it throws is answered as Prometheus answers it. Defects go on to the common handler. */
export async function answering(c: ApiContext, handle: () => Promise<Response>): Promise<Response> {
  try {
    return await handle();
  } catch (error) {
    const known = c.req.raw.signal.aborted ? 'canceled' : undefined;
    if (known === undefined && !isOpsError(error)) throw error;
    const type: ErrorType = known ?? errorTypeOf(error as OpsError);
    const message = error instanceof Error ? error.message : String(error);
    return c.body(errorJson(type, message), statusOfErrorType[type] as 400, JSON_TYPE);
  }
}

/** Storage that cannot be reached is `unavailable`, which a client may repeat; Prometheus' `internal` is for defects. */
function errorTypeOf(error: OpsError): ErrorType {
  const type = queryErrorType(error);
  return type === 'internal' && error.kind === 'unavailable' ? 'unavailable' : type;
}

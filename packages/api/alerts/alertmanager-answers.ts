import type * as z from 'zod';
import { compileRegex } from '#alerts/routing/matchers.ts';
import { parseMatcher } from '#alerts/routing/parse-matchers.ts';
import type { ApiContext } from '#api/api-env.ts';
import { statusOf } from '#api/http-errors.ts';
import { readBody } from '#api/read-body.ts';
import { isOpsError, OpsError } from '#core/errors.ts';
import type { Matcher } from '#model/matcher.ts';

/** Runs a handler; what it throws is answered as Alertmanager does: the message, as a JSON string. Defects go on to the common handler. */
export async function answeringAlertmanager(c: ApiContext, handle: () => Promise<Response>): Promise<Response> {
  try {
    return await handle();
  } catch (error) {
    if (!isOpsError(error)) throw error;
    const headers: Record<string, string> = error.kind === 'unavailable' ? { 'retry-after': '1' } : {};
    return c.json(error.message, statusOf[error.kind], headers);
  }
}

/** The body of a request, as a schema has it. `input` for anything else. */
export async function readJson<T extends z.ZodType>(c: ApiContext, schema: T, maxBytes: number): Promise<z.infer<T>> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await readBody(c.req.raw, maxBytes)));
  } catch (cause) {
    if (isOpsError(cause)) throw cause;
    throw new OpsError('input', `parsing body failed, because ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
  throw new OpsError('input', `${path.length > 0 ? path.join('.') : 'body'} in body: ${message}`);
}

/** The matchers of all `filter` parameters. */
export function readFilter(c: ApiContext): Matcher[] {
  const matchers = (c.req.queries('filter') ?? []).map((text) => parseMatcher(text));
  for (const { op, value } of matchers) if (op === '=~' || op === '!~') compileRegex(value);
  return matchers;
}

/** A switch that is on where it is left out, in any of the words that Alertmanager takes for yes. */
export function readSwitch(c: ApiContext, name: string): boolean {
  const text = c.req.query(name);
  return text === undefined || ['true', '1', 'yes', 'ok', 'y', 'on', 'selected', 'checked', 't', 'enabled'].includes(text.toLowerCase());
}

/** The test of a receiver's name by the parameter `receiver`, a regular expression over the whole of it. */
export function readReceiver(c: ApiContext): (receiver: string) => boolean {
  const pattern = c.req.query('receiver');
  if (pattern === undefined) return () => true;
  try {
    return compileRegex(pattern);
  } catch (cause) {
    if (!isOpsError(cause)) throw cause;
    throw new OpsError('input', `failed to parse receiver param: ${cause.message}`, { cause });
  }
}

/** A time as Alertmanager's API writes it. */
export function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Milliseconds of a time in RFC 3339; NaN for anything else. */
export function parseTimestamp(text: string): number {
  return RFC3339.test(text) ? Date.parse(text) : Number.NaN;
}

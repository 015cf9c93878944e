import * as z from 'zod';
import type { ApiContext } from '#api/api-env.ts';
import { readBody } from '#api/read-body.ts';
import { OpsError } from '#core/errors.ts';
import { parseBoundedJson } from '#flags/bounded-json.ts';
import { describeIssues, RolloutStep } from '#flags/flag-definition.ts';
import type { FlagView } from '#flags/store/flag-view.ts';
import type { Expected } from '#flags/store/plan-change.ts';

const By = z.string().min(1).max(200);
const Reason = z.string().max(1_000);

/** What a change of a rollout asks for. */
export const RolloutRequest = z.strictObject({
  percentage: z.number().min(0).max(100),
  steps: z.array(RolloutStep).max(100).optional(),
  variant: z.string().min(1).optional(),
  expectedVersion: z.int().min(0).optional(),
  by: By.optional(),
  reason: Reason.optional(),
  force: z.boolean().optional(),
});

/** What turning a flag off or on again asks for. */
export const KillRequest = z.strictObject({ variant: z.string().min(1).optional(), by: By.optional(), reason: Reason.optional() });

/** Who changes a flag and why, of a query; the server knows a token's tenant and not its bearer. */
export function readSaid(c: ApiContext, said: { readonly by?: string | undefined; readonly reason?: string | undefined } = {}) {
  const parsed = z
    .object({ by: By.default('unknown'), reason: Reason.default('') })
    .safeParse({ by: said.by ?? c.req.query('by'), reason: said.reason ?? c.req.query('reason') });
  if (!parsed.success) throw new OpsError('input', describeIssues(parsed.error, ''));
  return parsed.data;
}

/** A request's JSON, within bounds. */
export async function readJsonBody(c: ApiContext, maxBytes: number): Promise<unknown> {
  const bytes = await readBody(c.req.raw, maxBytes);
  if (bytes.length === 0) return {};
  try {
    return parseBoundedJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    if (cause instanceof TypeError) throw new OpsError('input', 'the body is not UTF-8', { cause });
    throw new OpsError('input', `the body ${(cause as Error).message}`, { cause });
  }
}

/** A request's JSON as the schema has it; `input` with a line for each thing that is wrong. */
export async function readForm<T>(c: ApiContext, schema: z.ZodType<T>, maxBytes = 64 * 1024): Promise<T> {
  const parsed = schema.safeParse(await readJsonBody(c, maxBytes));
  if (!parsed.success) throw new OpsError('input', describeIssues(parsed.error, ''));
  return parsed.data;
}

/** The version that a writer has seen: If-Match with it or `*`; without it there must be no such flag. */
export function readExpected(c: ApiContext): Expected {
  const header = c.req.header('if-match')?.trim();
  if (header === undefined) return 'none';
  if (header === '*') return 'any';
  const [, digits] = /^(?:W\/)?"?(\d{1,12})"?$/.exec(header) ?? [];
  if (digits === undefined)
    throw new OpsError('input', `If-Match takes the version of the flag, or *; got ${JSON.stringify(header.slice(0, 60))}`);
  return Number(digits);
}

/** A whole number of the query, or the default. */
export function readCount(c: ApiContext, name: string, fallback: number, most: number): number {
  const text = c.req.query(name);
  if (text === undefined) return fallback;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most)
    throw new OpsError('input', `${name} takes a whole number from 1 to ${most}; got ${JSON.stringify(text.slice(0, 60))}`);
  return count;
}

const MAX_FLAGS = 5_000;

/** `limit` where a tenant would have more flags than are taken, but for writers at once, who may pass it by as many. */
export function assertRoom({ flags }: FlagView, keys: Iterable<string>): void {
  const added = [...keys].filter((key) => !flags.has(key)).length;
  if (added > 0 && flags.size + added > MAX_FLAGS)
    throw new OpsError('limit', `there are ${flags.size} flags, and at most ${MAX_FLAGS} are taken`);
}

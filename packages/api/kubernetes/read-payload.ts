import type * as z from 'zod';
import { OpsError } from '#core/errors.ts';

const SHOWN_FAULTS = 10;

/** A body as the schema has it. `input` for anything else, with every field that is wrong. */
export function parsePayload<T extends z.ZodType>(schema: T, body: Uint8Array, what: string): z.infer<T> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new OpsError('input', `${what} is not JSON`, { cause });
  }
  return checkFields(schema, json, what);
}

/** A value as the schema has it; `input` as above. */
export function checkFields<T extends z.ZodType>(schema: T, value: unknown, what: string): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, SHOWN_FAULTS).map((issue) => `${issue.path.join('.') || what}: ${wordsOf(issue)}`);
  throw new OpsError('input', faults.join('; ').slice(0, 2_000));
}

/** Of a key that is wrong, what is wrong with it. */
function wordsOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}

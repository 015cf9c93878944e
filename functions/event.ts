import * as z from 'zod';
import { OpsError } from '#core/errors.ts';

/** An event as the function's schema has it; fields that the schema does not know are left aside. `input` names what is wrong. */
export function parseEvent<T extends z.ZodType>(schema: T, event: unknown): z.infer<T> {
  const parsed = schema.safeParse(event ?? {});
  if (parsed.success) return parsed.data;
  throw new OpsError('input', `the event is not as this function takes it: ${z.prettifyError(parsed.error)}`);
}

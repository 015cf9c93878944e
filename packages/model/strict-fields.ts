import * as z from 'zod';
import { parseDuration } from '#core/duration.ts';

/** An object of exactly these fields; what it says of an unknown one names those it takes. */
export function strictFields<T extends z.ZodRawShape>(shape: T) {
  const accepted = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `is not a field here; accepted: ${accepted}` : undefined),
  });
}

/** A duration as in `15d`, `1h30m`; milliseconds when parsed. */
export function durationField(least: string, most?: string) {
  const range = most === undefined ? `at least ${least}` : `${least} to ${most}`;
  return z
    .string({
      error: (issue) => (issue.input === undefined ? undefined : `must be a duration such as 15d or 1h30m (${range}), in quotes or not`),
    })
    .transform((text, context) => {
      const ms = parseDuration(text);
      const low = parseDuration(least) as number;
      const high = most === undefined ? Number.POSITIVE_INFINITY : (parseDuration(most) as number);
      if (ms !== undefined && ms >= low && ms <= high) return ms;
      context.addIssue({
        code: 'custom',
        message: `must be a duration such as 15d or 1h30m, ${range}; got ${JSON.stringify(text.slice(0, 60))}`,
      });
      return z.NEVER;
    });
}

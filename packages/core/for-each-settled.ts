import { OpsError } from '#core/errors.ts';

/**
 * Runs a job on one item after the other. One that fails does not keep the others from their turn; at the end the failure is
 * thrown, or `unavailable` naming their number where there are several, with the first as its cause.
 */
export async function forEachSettled<T>(items: readonly T[], job: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      await job(item);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return;
  const [first] = failures;
  if (failures.length === 1) throw first;
  const message = first instanceof Error ? first.message : String(first);
  throw new OpsError('unavailable', `${failures.length} of ${items.length} failed, the first of them: ${message}`, { cause: first });
}

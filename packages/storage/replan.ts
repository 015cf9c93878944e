import { isOpsError, OpsError } from '#core/errors.ts';

const PLANS = 3;

/**
 * Runs a read that plans by the catalog and then opens what it names. Where an object turns out to be gone the read begins anew:
 * it took longer than replaced inputs are kept, or planned while they were being deleted, and a new plan names their successors.
 */
export async function replanOnMissing<T>(read: () => Promise<T>): Promise<T> {
  for (let plan = 1; ; plan++) {
    try {
      return await read();
    } catch (error) {
      if (!isOpsError(error, 'missing')) throw error;
      if (plan === PLANS) throw new OpsError('unavailable', `the catalog names an object that is gone: ${error.message}`, { cause: error });
    }
  }
}

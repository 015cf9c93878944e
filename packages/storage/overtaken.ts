import { isOpsError } from '#core/errors.ts';
import { readHead, type WindowState } from './catalog.ts';
import type { StorageDeps } from './storage-deps.ts';

/**
 * True if a job on these windows failed because somebody else changed one of them first: its commit met a conflict, or an input
 * was gone that a commit since has replaced. The next run plans anew.
 */
export async function isOvertaken(deps: StorageDeps, states: readonly WindowState[], error: unknown): Promise<boolean> {
  if (isOpsError(error, 'conflict')) return true;
  if (!isOpsError(error, 'missing')) return false;
  const heads = await Promise.all(states.map((state) => readHead(deps.table, state.window)));
  return heads.some((head, i) => head.version !== states[i].head.version);
}

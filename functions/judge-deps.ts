import { OpsError } from '#core/errors.ts';
import type { Judgement } from '#model/judgement.ts';
import type { Analyze } from '#releases/analyze.ts';
import type { MeasureOnce } from '#releases/kubernetes/analyses.ts';
import type { FunctionDeps } from './deps.ts';

/** What judges releases. */
export function analyzeDeps(_deps: FunctionDeps): { readonly analyze: Analyze; readonly measureOnce: MeasureOnce } {
  const none = async (): Promise<never> => {
    throw new OpsError('unavailable', 'there is no judge here');
  };
  return { analyze: none, measureOnce: none as (request: unknown) => Promise<Judgement> };
}

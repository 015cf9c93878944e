import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Json } from '#model/json.ts';
import type { Judgement } from '#model/judgement.ts';
import type { RangeQuery } from '#ports/query.ts';
import type { AnalysisRequest, Analyze } from '#releases/analyze.ts';
import { Analysis } from './analysis.ts';
import { type AnalysisPlan, planAnalysis } from './analysis-plan.ts';
import { noState, readState } from './analysis-state.ts';
import { judgePlannedLook } from './judge-look.ts';
import { measureLook } from './measure.ts';

export interface AnalyzeDeps {
  readonly query: (tenant: string) => RangeQuery;
  readonly now: Clock;
}

/** Judges a release by sequential tests and thresholds. A look at what is still to come is `unavailable`. */
export function createAnalyze(deps: AnalyzeDeps): Analyze {
  return async (request) => {
    const state = readState(request.state, request.look);
    const plan = planAnalysis(readAnalysis(request.analysis));
    const samples = await measureNow(deps, { ...request, plan, state });
    const { judgement, state: next } = judgePlannedLook(plan, samples, state, request.look);
    return { judgement, state: next as unknown as Json };
  };
}

/** What a single measurement is asked with. */
export type OnceRequest = Pick<AnalysisRequest, 'tenant' | 'analysis' | 'variables' | 'fromMs' | 'toMs'>;

/** One analysis of one window, without looks before or after: the whole alpha is spent on it, and nothing is left to continue. */
export async function judgeOnce(deps: AnalyzeDeps, request: OnceRequest): Promise<Judgement> {
  const plan = planAnalysis(readAnalysis(request.analysis), Math.max(0, request.toMs - request.fromMs));
  const samples = await measureNow(deps, { ...request, plan, state: noState });
  return judgePlannedLook(plan, samples, noState, 1).judgement;
}

/** Clocks of two machines differ by less. */
const TOLERANCE_MS = 60_000;

async function measureNow(
  deps: AnalyzeDeps,
  input: OnceRequest & { readonly plan: AnalysisPlan; readonly state: ReturnType<typeof readState> },
) {
  const aheadMs = input.toMs - deps.now();
  if (aheadMs > TOLERANCE_MS)
    throw new OpsError('unavailable', `the look ends ${Math.ceil(aheadMs / 1_000)} s from now: its samples are still to come`, {
      retryAfterMs: aheadMs,
    });
  return await measureLook(deps.query(input.tenant), input);
}

function readAnalysis(json: Json): Analysis {
  const parsed = Analysis.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OpsError('input', `the analysis is not valid: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, { cause: parsed.error });
}

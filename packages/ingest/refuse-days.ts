import { alignDown, DAY_MS, isoDate } from '#core/time.ts';
import { pickRows } from '#model/pick-rows.ts';
import type { Decoded, Rejection } from './decoded.ts';
import type { PipelineOutput } from './pipeline/pipeline.ts';

/** Which of these UTC days (`2026-11-23`) take no more samples: their raw samples are gone, and what is left was made from those. */
export type FindRefusedDays = (
  destination: { readonly tenant: string; readonly retentionClass?: string | undefined },
  dates: readonly string[],
) => Promise<ReadonlySet<string>>;

/** The reason under which samples of such days are counted. */
const ALREADY_AGGREGATED = 'already-aggregated';

/** Leaves out samples of days that take no more: added to them, they would stand for the whole of what was there. */
export async function refuseDays(
  find: FindRefusedDays,
  output: PipelineOutput,
): Promise<{ output: PipelineOutput; rejection: Rejection | undefined }> {
  const { ts } = output.batch;
  const dates = new Map<number, string>();
  for (let i = 0; i < ts.length; i++) {
    const dayMs = alignDown(ts[i] as number, DAY_MS);
    if (!dates.has(dayMs)) dates.set(dayMs, isoDate(dayMs));
  }
  const refused = await find(output, [...dates.values()]);
  if (refused.size === 0) return { output, rejection: undefined };
  const kept: number[] = [];
  for (let i = 0; i < ts.length; i++) {
    if (!refused.has(dates.get(alignDown(ts[i] as number, DAY_MS)) as string)) kept.push(i);
  }
  const [first] = [...refused].sort();
  const others = refused.size > 1 ? ` and ${refused.size - 1} more days` : '';
  const message = `raw samples of ${first}${others} are past their retention and were aggregated; no more can be added`;
  const rejection = { reason: ALREADY_AGGREGATED, message, count: ts.length - kept.length };
  return { output: { ...output, batch: pickRows(output.batch, kept) }, rejection };
}

/** Samples of what `ingestSamples` gave back that were taken: those of such days are still among them. */
export function countAccepted({ batch, rejections }: Pick<Decoded, 'batch' | 'rejections'>): number {
  const refused = rejections.find(({ reason }) => reason === ALREADY_AGGREGATED)?.count ?? 0;
  return Math.max(0, batch.ts.length - refused);
}

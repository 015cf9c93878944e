import { percentageAt } from '#flags/evaluate-flag.ts';
import type { FlagView, ViewFlag } from '#flags/store/flag-view.ts';

/** A flag as the API shows it. */
export function toFlagJson(flag: ViewFlag, nowMs: number): object {
  const { key, file, version, record, compiled, problem, definition } = flag;
  return {
    key,
    source: file === undefined ? 'api' : 'file',
    file,
    version,
    state: definition?.state,
    percentage: compiled?.rollout && percentageAt(compiled.rollout, nowMs),
    kill: record?.kill,
    boundTo: record?.boundTo,
    updatedAt: record && new Date(record.updatedAtMs).toISOString(),
    problem,
  };
}

/** All flags, with what is wrong with any. */
export function toListJson({ version, flags }: FlagView, nowMs: number): object {
  const all = [...flags.values()];
  return { version, flags: all.map((flag) => toFlagJson(flag, nowMs)), problems: all.flatMap(({ problem }) => problem ?? []) };
}

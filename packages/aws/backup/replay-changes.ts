import { OpsError } from '#core/errors.ts';
import type { Stretch } from '#ports/change-log.ts';
import { type ChangeLogDeps, CLOCK_MARGIN_MS, coverageOf, listParts, readMarks, readPart } from './change-log.ts';
import type { Change } from './change-stream.ts';

export interface ReplayInput {
  /** The instant of the base; for a fuzzy base, when its scan began. */
  readonly fromMs: number;
  /** Every change before this instant takes effect, none after it. For a fuzzy base not before its scan ended. */
  readonly toMs: number;
  /** Goes on where the log has gaps; what was changed in them is then wrong. Default false: `conflict`. */
  readonly acceptGaps?: boolean | undefined;
}

/** Takes changes of distinct keys; all have taken effect when it resolves, and the same ones may come again. */
export type ApplyChanges = (changes: readonly Change[]) => Promise<void>;

export interface ReplaySummary {
  readonly changes: number;
  /** Times whose changes are not in the log. */
  readonly gaps: readonly Stretch[];
}

// Changes of one key within as many count once.
const BATCH_KEYS = 20_000;
const BATCH_CHARACTERS = 32 * 1024 * 1024;

/**
 * Applies a log's changes to what a base was restored to, so that it is as at `toMs`. Shards in order of descent, so that each item's changes
 * are in their order. Repeatable from its beginning. `missing` where the log does not reach from `fromMs` to `toMs`, `conflict` where it has a
 * gap between them.
 */
export async function replayChanges(log: ChangeLogDeps, apply: ApplyChanges, input: ReplayInput): Promise<ReplaySummary> {
  const gaps = await assertCovered(log, input);
  let changes = 0;
  let batch = new Map<string, Change>();
  let characters = 0;
  const flush = async () => {
    await apply([...batch.values()]);
    batch = new Map();
    characters = 0;
  };
  for (const key of await planParts(log, input.fromMs)) {
    for (const change of (await readPart(log, key)).changes) {
      if (change.atS * 1_000 < input.fromMs - 999 || change.atS * 1_000 >= input.toMs) continue;
      batch.set(change.key, change);
      changes++;
      characters += change.key.length + (change.item?.length ?? 0);
      if (batch.size >= BATCH_KEYS || characters >= BATCH_CHARACTERS) await flush();
    }
  }
  if (batch.size > 0) await flush();
  return { changes, gaps };
}

/** The gaps that are accepted; throws as `replayChanges` does. */
export async function assertCovered(log: ChangeLogDeps, { fromMs, toMs, acceptGaps }: ReplayInput): Promise<readonly Stretch[]> {
  const { name } = log;
  const { stretches } = coverageOf(await readMarks(log));
  const show = (timeMs: number) => new Date(timeMs).toISOString();
  const inside = stretches.filter((stretch) => stretch.untilMs > fromMs && stretch.fromMs < toMs);
  const first = inside[0];
  const last = inside.at(-1);
  if (toMs <= fromMs) return [];
  if (first === undefined || last === undefined || last.untilMs < toMs || (first.fromMs > fromMs && acceptGaps !== true)) {
    const covered = stretches.map((stretch) => `${show(stretch.fromMs)} to ${show(stretch.untilMs)}`).join(', ') || 'no time at all';
    throw new OpsError(
      'missing',
      `the change log of "${name}" does not reach from ${show(fromMs)} to ${show(toMs)}; it covers ${covered}`,
      {
        hint: 'Choose a moment that it covers and a base within the same stretch.',
      },
    );
  }
  const gaps = inside.slice(1).map((stretch, i) => ({ fromMs: inside[i]?.untilMs ?? 0, untilMs: stretch.fromMs }));
  if (first.fromMs > fromMs) gaps.unshift({ fromMs, untilMs: first.fromMs });
  const [gap] = gaps;
  if (gap === undefined || acceptGaps === true) return gaps;
  throw new OpsError('conflict', `the change log of "${name}" has a gap from ${show(gap.fromMs)} to ${show(gap.untilMs)}`, {
    hint: 'Restore to a moment before the gap, take a base after it, or accept the gap.',
  });
}

/** Keys of the parts that may hold a change from `fromMs` on, parents before children. */
async function planParts(log: ChangeLogDeps, fromMs: number): Promise<string[]> {
  // A part is written after its changes took place.
  const entries = (await listParts(log)).filter(({ modifiedAtMs }) => modifiedAtMs >= fromMs - CLOCK_MARGIN_MS);
  const shards = new Map<string, { keys: string[]; id: string; parentId?: string | undefined }>();
  for (const { key } of entries) {
    const folder = key.slice(0, key.lastIndexOf('/'));
    const known = shards.get(folder);
    if (known) known.keys.push(key);
    else {
      const { shardId, parentId } = await readPart(log, key);
      shards.set(folder, { keys: [key], id: shardId, parentId });
    }
  }
  return orderByDescent([...shards.values()]).flatMap(({ keys }) => keys);
}

function orderByDescent<S extends { readonly id: string; readonly parentId?: string | undefined }>(shards: readonly S[]): S[] {
  const byId = new Map(shards.map((shard) => [shard.id, shard]));
  const ordered = new Set<S>();
  const visit = (shard: S) => {
    if (ordered.has(shard)) return;
    const parent = shard.parentId === undefined ? undefined : byId.get(shard.parentId);
    if (parent) visit(parent);
    ordered.add(shard);
  };
  shards.forEach(visit);
  return [...ordered];
}

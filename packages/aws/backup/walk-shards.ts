import { OpsError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';
import type { Change, ChangeStream, Shard } from './change-stream.ts';

/** How far each shard has been read. */
export type ShardPositions = ReadonlyMap<string, ShardPosition>;

export interface ShardPosition {
  /** The last change that was read; undefined before the first. */
  readonly after?: string | undefined;
  /** True once nothing can follow. */
  readonly closed: boolean;
}

export interface WalkDeps {
  readonly stream: ChangeStream;
  readonly clock: Clock;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** How long after it was made a change may not be in its stream yet. */
  readonly settleMs: number;
  /** How many answers without changes, one after the other, count as the end of what there is. */
  readonly emptyAnswers?: number | undefined;
}

/** Some changes of one shard, in order. */
export interface WalkedPage {
  readonly shard: Shard;
  readonly changes: readonly Change[];
  /** True where nothing can follow in this shard. */
  readonly closed: boolean;
  /** True where changes before these, and after those of the page before, are lost. */
  readonly trimmed: boolean;
}

// DynamoDB says that an iterator may pass through stretches without changes, and gives no sign of how far it is behind.
const EMPTY_ANSWERS = 5;
const PAUSE_MS = 250;
const MAX_SEEKS = 20;

/**
 * The changes of all shards from the positions on, parents before children, until every change before `untilMs` has been given; some later
 * ones may be given too. It waits until `untilMs` is `settleMs` ago. `unavailable` where a shard's iterators end before they are used.
 */
export async function* walkShards(deps: WalkDeps, positions: ShardPositions, untilMs: number): AsyncGenerator<WalkedPage> {
  const finished = new Set<string>([...positions].filter(([, { closed }]) => closed).map(([id]) => id));
  const known = new Map(positions);
  for (;;) {
    // Shards that split meanwhile have children which the list did not have.
    const open = planShards(await deps.stream.shards(), finished);
    if (open.length === 0) return;
    for (const shard of open) {
      yield* walkShard(deps, shard, known.get(shard.id)?.after, untilMs);
      finished.add(shard.id);
    }
  }
}

/** The shards to be read, each after its parent; a parent that is not in the list is read or gone. */
function planShards(shards: readonly Shard[], finished: ReadonlySet<string>): Shard[] {
  const byId = new Map(shards.map((shard) => [shard.id, shard]));
  const order: Shard[] = [];
  const seen = new Set<string>();
  const visit = (shard: Shard) => {
    if (seen.has(shard.id)) return;
    seen.add(shard.id);
    const parent = shard.parentId === undefined ? undefined : byId.get(shard.parentId);
    if (parent) visit(parent);
    order.push(shard);
  };
  shards.forEach(visit);
  return order.filter(({ id }) => !finished.has(id));
}

async function* walkShard(deps: WalkDeps, shard: Shard, start: string | undefined, untilMs: number): AsyncGenerator<WalkedPage> {
  const emptyAnswers = deps.emptyAnswers ?? EMPTY_ANSWERS;
  let after = start;
  let trimmed = false;
  let iterator: string | undefined;
  let seeks = 0;
  for (let empty = 0; empty < emptyAnswers; ) {
    if (iterator === undefined) {
      if (++seeks > MAX_SEEKS) throw new OpsError('unavailable', `shard "${shard.id}" gives no iterator that lasts`);
      const found = await deps.stream.seek(shard.id, after);
      if (found === 'trimmed') {
        trimmed = true;
        after = undefined;
        continue;
      }
      iterator = found.iterator;
    }
    const isSettled = deps.clock() >= untilMs + deps.settleMs;
    const page = await deps.stream.read(iterator);
    if (typeof page === 'string') {
      // The oldest change that is kept moves on while it is being read.
      if (page === 'trimmed') trimmed = true;
      if (page === 'trimmed') after = undefined;
      iterator = undefined;
      continue;
    }
    seeks = 0;
    iterator = page.next;
    const closed = iterator === undefined;
    const last = page.changes.at(-1);
    if (last !== undefined || closed || trimmed) yield { shard, changes: page.changes, closed, trimmed };
    trimmed = false;
    if (closed || (last !== undefined && last.atS * 1_000 >= untilMs)) return;
    after = last?.sequence ?? after;
    if (last !== undefined) empty = 0;
    else {
      if (isSettled) empty++;
      await deps.sleep(PAUSE_MS);
    }
  }
}

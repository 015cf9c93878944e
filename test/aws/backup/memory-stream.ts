import type { Change, ChangePage, ChangeStream, Shard } from '#aws/backup/change-stream.ts';

interface MemoryShard extends Shard {
  readonly changes: Change[];
  closed: boolean;
  closedAtMs: number;
  /** Changes before this index are gone. */
  trimmed: number;
}

export interface MemoryStreamOptions {
  readonly pageSize?: number;
  /** Every n-th read is answered by `expired`. */
  readonly expireEvery?: number;
  /** Every n-th read gives nothing, though there is more. */
  readonly emptyEvery?: number;
}

/** A stream in memory that splits, trims and expires as told. */
export interface MemoryStream extends ChangeStream {
  write(key: string, item: string | undefined, atMs: number): void;
  /** Closes every open shard and gives each two children, or one where there are many. */
  split(nowMs: number): void;
  /** Forgets changes before a time, and shards that were closed before it. */
  trim(beforeMs: number): void;
}

export function createMemoryStream(label: string, options: MemoryStreamOptions = {}): MemoryStream {
  const { pageSize = 3, expireEvery = 0, emptyEvery = 0 } = options;
  let shards: MemoryShard[] = [{ id: 'shard-0', changes: [], closed: false, closedAtMs: 0, trimmed: 0 }];
  let sequence = 99_990;
  let made = 1;
  let reads = 0;
  const find = (id: string) => shards.find((shard) => shard.id === id) as MemoryShard;
  return {
    label,
    async shards() {
      // In no useful order.
      return shards.map(({ id, parentId }) => ({ id, parentId })).reverse();
    },
    async seek(shardId, after) {
      const shard = find(shardId);
      if (after === undefined) return { iterator: `${shardId}:${shard.trimmed}` };
      const index = shard.changes.findIndex((change) => change.sequence === after);
      return index < shard.trimmed ? 'trimmed' : { iterator: `${shardId}:${index + 1}` };
    },
    async read(iterator): Promise<ChangePage | 'expired' | 'trimmed'> {
      reads++;
      if (expireEvery > 0 && reads % expireEvery === 0) return 'expired';
      if (emptyEvery > 0 && reads % emptyEvery === 0) return { changes: [], next: iterator };
      const [id = '', start] = iterator.split(':');
      const shard = find(id);
      if (Number(start) < shard.trimmed) return 'trimmed';
      const end = Math.min(Number(start) + pageSize, shard.changes.length);
      const changes = shard.changes.slice(Number(start), end);
      return shard.closed && end === shard.changes.length ? { changes } : { changes, next: `${id}:${end}` };
    },
    write(key, item, atMs) {
      const open = shards.filter(({ closed }) => !closed);
      const shard = open[[...key].reduce((sum, character) => sum + character.charCodeAt(0), 0) % open.length] as MemoryShard;
      shard.changes.push({ sequence: String(sequence++), atS: Math.floor(atMs / 1_000), key, ...(item === undefined ? {} : { item }) });
    },
    split(nowMs) {
      // Twice as many, so that a key's next shard is a child of its last.
      const open = shards.filter(({ closed }) => !closed);
      for (const shard of open) {
        shard.closed = true;
        shard.closedAtMs = nowMs;
      }
      for (let child = 0; child < (open.length < 8 ? 2 : 1); child++) {
        for (const { id } of open)
          shards.push({ id: `shard-${made++}`, parentId: id, changes: [], closed: false, closedAtMs: 0, trimmed: 0 });
      }
    },
    trim(beforeMs) {
      for (const shard of shards) shard.trimmed = shard.changes.filter(({ atS }) => atS * 1_000 < beforeMs).length;
      shards = shards.filter(({ closed, closedAtMs }) => !closed || closedAtMs >= beforeMs);
    },
  };
}

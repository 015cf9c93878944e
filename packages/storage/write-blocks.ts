import { retry } from '#core/retry.ts';
import type { Tier } from '#model/tier.ts';
import type { StorageClass } from '#ports/blobs.ts';
import type { CommitInput } from './catalog.ts';
import { blockKey, LEVEL, type Window } from './catalog-entry.ts';
import type { OfSeries } from './merge-series.ts';
import { buildNamesFilter } from './names-filter.ts';
import type { EncodedBlock } from './parquet/block-writer.ts';
import type { StorageDeps } from './storage-deps.ts';

type Output = CommitInput['outputs'][number];

/** How one kind of block is written. */
export interface BlockFormat<T extends OfSeries> {
  readonly rowsOf: (item: T) => number;
  /** Yields between pieces of work, returns the block. */
  readonly steps: (input: Iterable<T>) => Generator<void, EncodedBlock>;
}

/** A block takes about this many rows, then the next one begins, at a series. */
const MAX_BLOCK_ROWS = 8_000_000;
/** Infrequent Access and Glacier bill smaller objects as if they had this size. */
const MIN_CLASS_BYTES = 128 * 1024;

const classOf: Readonly<Record<Tier, StorageClass>> = { hot: 'standard', warm: 'infrequent', cold: 'archive-instant' };

/** Encodes series, handed in in order, into as many blocks as they need and stores each under a fresh key. */
export async function writeBlocks<T extends OfSeries>(
  deps: StorageDeps,
  window: Window,
  level: number,
  items: Iterator<T>,
  format: BlockFormat<T>,
): Promise<Output[]> {
  const outputs: Output[] = [];
  for (let next = items.next(); !next.done; ) {
    const names = new Set<string>();
    const block = await drive(
      deps,
      format.steps(
        (function* () {
          for (let rows = 0; !next.done && rows < MAX_BLOCK_ROWS; next = items.next()) {
            names.add(next.value.series.metric);
            rows += format.rowsOf(next.value);
            yield next.value;
          }
        })(),
      ),
    );
    if (block.rows > 0) outputs.push(await store(deps, window, level, block, names));
  }
  return outputs;
}

/** Runs a long piece of work step by step, letting others run between. */
async function drive<R>(deps: StorageDeps, steps: Generator<void, R>): Promise<R> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await deps.pause();
  }
}

async function store(deps: StorageDeps, window: Window, level: number, block: EncodedBlock, names: Set<string>): Promise<Output> {
  const isLasting = level === LEVEL.final && block.bytes.length >= MIN_CLASS_BYTES;
  const key = blockKey(window, `${level}-${deps.newId()}`);
  await retry(() => deps.blobs.put(key, block.bytes, { storageClass: isLasting ? classOf[window.tier] : 'standard' }));
  const { rows, seriesCount, minTs, maxTs } = block;
  return { key, rows, seriesCount, minTs, maxTs, bytes: block.bytes.length, createdAtMs: deps.now(), names: buildNamesFilter(names) };
}

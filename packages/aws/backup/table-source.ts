import { createHash } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import * as z from 'zod';
import { OpsError } from '#core/errors.ts';
import { defaultRetry, type RetryOptions } from '#core/retry.ts';
import { type Clock, HOUR_MS, MINUTE_MS, SECOND_MS } from '#core/time.ts';
import type { Json } from '#model/json.ts';
import type { BackupSource, SourceGuarantee, SourceItem } from '#ports/backup-source.ts';
import { type ChangeStream, encodeChange, openChangeStream } from './change-stream.ts';
import { createPacer } from './pacer.ts';
import { readAhead } from './read-ahead.ts';
import { type ItemsPart, type ScanDeps, scanSegment } from './scan-segment.ts';
import { assertSameTable, type DescribedTable, describeTable, keyNames, shapeOf } from './table-definition.ts';
import { walkShards } from './walk-shards.ts';

export interface TableSourceOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
  readonly retry?: RetryOptions | undefined;
  /** With it the backup is of one instant: what changed during the scan is read from the table's stream, which has to have new images. */
  readonly moment?: { readonly streams: DynamoDBStreamsClient | ChangeStream } | undefined;
  /** Read units a second at most; a page of the scan is up to 1 MB and overdraws by what it takes. Default: no limit. */
  readonly readUnitsPerSecond?: number | undefined;
  /** Default true: every write that was acknowledged before the backup began is in it. False halves the cost; not with `moment`. */
  readonly consistent?: boolean | undefined;
  /** Fixed for a table: where it changes, unchanged items lie in other parts. Default 16. */
  readonly segments?: number | undefined;
  /** Segments that are scanned at a time. Default 4. */
  readonly parallel?: number | undefined;
  /** A part is of this size to twice it; memory is `(parallel + 1)` times that. Default 8 MiB. */
  readonly partBytes?: number | undefined;
  /** How long a change takes into the stream at most. Default 3 s. */
  readonly settleMs?: number | undefined;
  /** How far this clock and DynamoDB's may be apart. Default 5 s. */
  readonly clockMarginMs?: number | undefined;
  readonly pageItems?: number | undefined;
}

const PART_BYTES = 8 * 1024 * 1024;
// A stream keeps 24 hours; a backup that takes longer to come back would meet a gap.
const MAX_STREAM_MS = 23 * HOUR_MS;
const STREAM_MARGIN_MS = 15 * MINUTE_MS;

/** Where a pass stands: opaque to others, and checked when it comes back. */
const Cursor = z.object({
  v: z.literal(1),
  tableId: z.string(),
  shape: z.string(),
  startedAtMs: z.number(),
  segments: z.number().int().min(1),
  segment: z.number().int().min(0),
  part: z.number().int().min(0),
  afterKey: z.string().optional(),
  /** Set once the scan is over: the instant, and how far each shard has been read towards it. */
  momentMs: z.number().optional(),
  replayPart: z.number().int().min(0).default(0),
  shards: z.record(z.string(), z.object({ after: z.string().optional(), closed: z.boolean() })).default({}),
});
type Cursor = z.infer<typeof Cursor>;

/**
 * A DynamoDB table as a source: `definition` (kind `table`), then `items/<segment>/<part>` (kind `items`: lines of DynamoDB JSON), then, with
 * `moment`, `replay/<part>` (kind `changes`): what to do after the items so that they are as at the instant. The cursor is a place in the
 * scan, so that a backup goes on where it was. `conflict` where the table is deleted, made anew or gets other keys or indexes meanwhile.
 * Needs dynamodb:DescribeTable, DescribeTimeToLive, ListTagsOfResource, Scan; with `moment` also DescribeStream, GetShardIterator, GetRecords.
 */
export function openTableSource(options: TableSourceOptions): BackupSource {
  const { tableName } = options;
  const retry = options.retry ?? { ...defaultRetry, attempts: 10, maxDelayMs: 10_000 };
  if (options.moment && options.consistent === false) throw new OpsError('input', 'a backup of one instant needs consistent reads');
  let state: Cursor | undefined;
  return {
    type: 'dynamodb',
    name: `dynamodb:${tableName}`,
    async *list({ after }) {
      const table = await describeTable({ ...options, retry });
      state = startCursor(options, table, after);
      const run: Run = { options: { ...options, retry }, table, advance: (next) => (state = next) };
      await assertSameTable(run.options, state);
      if (after === undefined) yield definitionItem(table, state);
      yield* listItems(run, state);
      if (options.moment) yield* listReplay(run, state);
      await assertSameTable(run.options, state);
    },
    async guarantee() {
      if (state === undefined) throw new OpsError('input', `table "${tableName}" has not been read yet`);
      return guaranteeOf(state);
    },
    async close() {},
  };
}

interface Run {
  readonly options: TableSourceOptions & { readonly retry: RetryOptions };
  readonly table: DescribedTable;
  /** Keeps the place that `guarantee` speaks of. */
  advance(next: Cursor): Cursor;
}

function startCursor(options: TableSourceOptions, table: DescribedTable, after: string | undefined): Cursor {
  const shape = shapeOf(table.definition, table.streamArn);
  if (after !== undefined) return parseCursor(options.tableName, after);
  const segments = options.segments ?? 16;
  const start = { v: 1, tableId: table.tableId, shape, startedAtMs: options.clock(), segments, segment: 0, part: 0 } as const;
  return { ...start, replayPart: 0, shards: {} };
}

function parseCursor(tableName: string, text: string): Cursor {
  try {
    return Cursor.parse(JSON.parse(text));
  } catch (cause) {
    throw new OpsError('input', `this is no place in the scan of table "${tableName}"`, { cause });
  }
}

function definitionItem({ definition }: DescribedTable, start: Cursor): SourceItem {
  // Through JSON: what is undefined is absent.
  const meta = JSON.parse(JSON.stringify(definition)) as { [name: string]: Json };
  return { path: 'definition', kind: 'table', meta, cursor: JSON.stringify(start) };
}

async function* listItems({ options, table, advance }: Run, start: Cursor): AsyncGenerator<SourceItem> {
  if (start.momentMs !== undefined) return;
  const deps: ScanDeps = {
    ...options,
    pacer: createPacer({ clock: options.clock, sleep: options.retry.sleep }, options.readUnitsPerSecond),
    consistent: options.consistent ?? true,
    partBytes: options.partBytes ?? PART_BYTES,
    keyNames: keyNames(table.definition),
  };
  const { segments } = start;
  const openSegment = async function* (index: number) {
    const segment = start.segment + index;
    let part = index === 0 ? start.part : 0;
    const afterKey = index === 0 ? start.afterKey : undefined;
    for await (const items of scanSegment(deps, { segment, segments, afterKey })) yield { segment, part: part++, items };
  };
  for await (const { segment, part, items } of readAhead(segments - start.segment, options.parallel ?? 4, openSegment)) {
    await assertSameTable(options, start);
    const next =
      items.next === undefined
        ? { segment: segment + 1, part: 0, afterKey: undefined }
        : { part: part + 1, segment, afterKey: items.next.afterKey };
    yield itemsItem(segment, part, items, advance({ ...start, ...next }));
  }
}

function itemsItem(segment: number, part: number, { bytes, count }: ItemsPart, next: Cursor): SourceItem {
  const path = `items/${digits(segment)}/${digits(part)}`;
  return {
    path,
    kind: 'items',
    stamp: stampOf(bytes),
    meta: { count },
    open: (offset) => piecesOf(bytes, offset),
    cursor: JSON.stringify(next),
  };
}

/** The changes from before the scan began until an instant after it ended, the last one of each key in a part. */
async function* listReplay({ options, table, advance }: Run, scanned: Cursor): AsyncGenerator<SourceItem> {
  const { clock, clockMarginMs = 5 * SECOND_MS, settleMs = 3 * SECOND_MS } = options;
  const momentMs = scanned.momentMs ?? Math.ceil((clock() + clockMarginMs) / SECOND_MS) * SECOND_MS;
  const fromMs = scanned.startedAtMs - STREAM_MARGIN_MS;
  if (clock() - scanned.startedAtMs > MAX_STREAM_MS) throw trimmedUnder(options.tableName);
  let place: Cursor = { ...scanned, segment: scanned.segments, part: 0, afterKey: undefined, momentMs };
  advance(place);
  const stream = streamOf(options, table);
  const walk = { stream, clock, sleep: options.retry.sleep, settleMs };
  let part = new Map<string, string>();
  let sizeBytes = 0;
  const cut = (): SourceItem => {
    const bytes = Buffer.from([...part.values()].join(''));
    const path = `replay/${digits(place.replayPart)}`;
    place = advance({ ...place, replayPart: place.replayPart + 1 });
    const meta = { count: part.size };
    part = new Map();
    sizeBytes = 0;
    return { path, kind: 'changes', stamp: stampOf(bytes), meta, open: (offset) => piecesOf(bytes, offset), cursor: JSON.stringify(place) };
  };
  for await (const { shard, changes, closed, trimmed } of walkShards(walk, new Map(Object.entries(place.shards)), momentMs)) {
    if (trimmed) throw trimmedUnder(options.tableName);
    for (const change of changes) {
      if (change.atS * 1_000 >= momentMs || change.atS * 1_000 < fromMs) continue;
      const line = `${encodeChange(change)}\n`;
      sizeBytes += line.length;
      // The later one goes to the end, so that parts are in the order of changes.
      part.delete(change.key);
      part.set(change.key, line);
    }
    const after = changes.at(-1)?.sequence ?? place.shards[shard.id]?.after;
    place = advance({ ...place, shards: { ...place.shards, [shard.id]: { closed, ...(after === undefined ? {} : { after }) } } });
    if (sizeBytes >= (options.partBytes ?? PART_BYTES)) yield cut();
  }
  if (part.size > 0) yield cut();
}

function streamOf({ moment, tableName, retry }: Run['options'], { streamArn, definition }: DescribedTable): ChangeStream {
  const streams = moment?.streams as DynamoDBStreamsClient | ChangeStream;
  if ('seek' in streams) return streams;
  if (streamArn === undefined || !definition.streamViewType?.startsWith('NEW_')) {
    throw new OpsError('input', `table "${tableName}" has no stream of new images, from which a backup of one instant is made`, {
      hint: 'Switch its stream on with NEW_IMAGE or NEW_AND_OLD_IMAGES, or take a backup that is not of one instant.',
    });
  }
  return openChangeStream({ client: streams, streamArn, retry });
}

function trimmedUnder(tableName: string): OpsError {
  return new OpsError('conflict', `the stream of table "${tableName}" no longer has what changed since the backup began`, {
    hint: 'A stream keeps 24 hours. Start the backup again, with more read units or more parallel segments.',
  });
}

function guaranteeOf({ momentMs, startedAtMs }: Cursor): SourceGuarantee {
  if (momentMs === undefined) {
    const sentence =
      'Each item is as it was when it was scanned, between the beginning and the end of the backup; every write before the beginning is in it.';
    return { consistency: 'fuzzy', at: new Date(startedAtMs).toISOString(), sentence };
  }
  const sentence =
    'The table at this instant: a scan, and after it every change from before the scan until the instant, by the stream and its whole seconds.';
  return { consistency: 'moment', at: new Date(momentMs).toISOString(), sentence };
}

/** The bytes are here already: their hash says whether they are as they were, and a part that was half stored goes on. */
function stampOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function* piecesOf(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  if (offset < bytes.length) yield bytes.subarray(offset);
}

function digits(value: number): string {
  return String(value).padStart(6, '0');
}

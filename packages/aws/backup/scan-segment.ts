import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { callAws } from '#aws/call.ts';
import { isOpsError } from '#core/errors.ts';
import { type Attributes, decodeItem, encodeItem } from './item-lines.ts';
import type { Pacer } from './pacer.ts';
import { callOn, goneWhileRead, type TableDeps } from './table-definition.ts';

export interface ScanDeps extends TableDeps {
  readonly pacer: Pacer;
  /** Strongly consistent pages see every write that was acknowledged before; they cost twice as much. */
  readonly consistent: boolean;
  readonly partBytes: number;
  readonly keyNames: readonly string[];
  /** Items a page, for tests; DynamoDB's own limit is 1 MB. */
  readonly pageItems?: number | undefined;
}

export interface SegmentPosition {
  readonly segment: number;
  readonly segments: number;
  /** The key of the last item that was read, as a line. */
  readonly afterKey?: string | undefined;
}

/** Consecutive items of one segment, one line each. */
export interface ItemsPart {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Where the next part begins; absent after the segment's last item. */
  readonly next?: SegmentPosition | undefined;
}

/**
 * One segment from a position on, in parts of `partBytes` to about twice that. A part ends where the hash of a key says so, so that
 * parts after an inserted item are cut where they were. Memory: one part and one page. `conflict` where the table is gone.
 */
export async function* scanSegment(deps: ScanDeps, position: SegmentPosition): AsyncGenerator<ItemsPart> {
  const { segment, segments } = position;
  let part = startPart();
  for await (const { item, isLast } of scanItems(deps, position)) {
    const line = Buffer.from(`${encodeItem(item)}\n`);
    const key = encodeItem(Object.fromEntries(deps.keyNames.map((name) => [name, item[name]])) as Attributes);
    part.lines.push(line);
    part.sizeBytes += line.length;
    if (isLast || !endsPart(part.sizeBytes, line.length, key, deps.partBytes)) continue;
    yield toPart(part, { segment, segments, afterKey: key });
    part = startPart();
  }
  if (part.lines.length > 0) yield toPart(part, undefined);
}

async function* scanItems(deps: ScanDeps, { segment, segments, afterKey }: SegmentPosition) {
  let start: Attributes | undefined = afterKey === undefined ? undefined : decodeItem(afterKey);
  for (;;) {
    const page = await scanPage(deps, segment, segments, start);
    start = page.next;
    for (const [index, item] of page.items.entries()) yield { item, isLast: start === undefined && index === page.items.length - 1 };
    if (start === undefined) return;
  }
}

async function scanPage(deps: ScanDeps, Segment: number, TotalSegments: number, ExclusiveStartKey: Attributes | undefined) {
  await deps.pacer.ready();
  const command = new ScanCommand({
    TableName: deps.tableName,
    Segment,
    TotalSegments,
    ConsistentRead: deps.consistent,
    ReturnConsumedCapacity: 'TOTAL',
    ...(deps.pageItems === undefined ? {} : { Limit: deps.pageItems }),
    ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
  });
  const answer = await callAws(callOn(deps, 'dynamodb:Scan'), () => deps.client.send(command)).catch((error: unknown) => {
    throw isOpsError(error, 'missing') ? goneWhileRead(deps.tableName, error) : error;
  });
  deps.pacer.used(answer.ConsumedCapacity?.CapacityUnits ?? 0);
  return { items: answer.Items ?? [], next: answer.LastEvaluatedKey };
}

interface OpenPart {
  readonly lines: Buffer[];
  sizeBytes: number;
}

function startPart(): OpenPart {
  return { lines: [], sizeBytes: 0 };
}

function toPart({ lines, sizeBytes }: OpenPart, next: SegmentPosition | undefined): ItemsPart {
  return { bytes: Buffer.concat(lines, sizeBytes), count: lines.length, next };
}

/** Past its least size a part ends at any byte with equal chance, on average an eighth of that size later. */
function endsPart(sizeBytes: number, lineBytes: number, key: string, partBytes: number): boolean {
  if (sizeBytes < partBytes) return false;
  return sizeBytes >= partBytes * 2 || fnv1a(key) < (lineBytes / (partBytes / 8)) * 2 ** 32;
}

/** FNV-1a, 32 bits, over UTF-16 code units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

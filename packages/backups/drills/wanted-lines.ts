import { createHash } from 'node:crypto';
import type { Entry } from '#backups/entries/entry.ts';
import type { ChunkReader } from '#backups/packs/chunk-reader.ts';
import { readContent } from '#backups/restore/read-content.ts';
import { OpsError } from '#core/errors.ts';
import { createLineDigest, createLineSplitter, type LineDigest } from './line-digest.ts';

/** Changes that are to be made to lines once all are there, in order: `{..., "key": {...}, "item": {...}}`, without `item` where one is deleted. */
export const CHANGES = 'changes';

export interface WantedLinesInput {
  readonly reader: ChunkReader;
  /** Entries from the beginning, by path. */
  readonly open: () => AsyncIterable<Entry>;
  readonly lineKind: string;
  /** Keys of changes that are in memory at a time, about 200 bytes each; with more, the lines are read that many times. */
  readonly keysAtOnce?: number | undefined;
}

const KEYS_AT_ONCE = 500_000;

/** The lines that a restore of the entries has to come to: those of its items, with the changes made to them by key. */
export async function digestWanted(input: WantedLinesInput): Promise<LineDigest> {
  const digest = createLineDigest();
  let changes = 0;
  for await (const { kind, meta } of input.open()) if (kind === CHANGES) changes += Number(meta.count ?? 0);
  const turns = Math.ceil(changes / (input.keysAtOnce ?? KEYS_AT_ONCE));
  if (turns === 0) await eachPart(input, input.lineKind, digest);
  for (let turn = 0; turn < turns; turn++) await digestTurn(input, digest, (key) => turnOf(key, turns) === turn);
  return digest;
}

/** The lines of the keys whose turn it is. */
async function digestTurn(input: WantedLinesInput, digest: LineDigest, isTurn: (key: string) => boolean): Promise<void> {
  const outcomes = new Map<string, Uint8Array | undefined>();
  let keyNames: string[] = [];
  const changes = createLineSplitter((line) => {
    const change = readChange(line);
    keyNames = Object.keys(change.key).sort();
    const key = keyOf(change.key, keyNames);
    if (isTurn(key)) outcomes.set(key, change.item === undefined ? undefined : hashOf(change.item));
  });
  await eachPart(input, CHANGES, changes);
  const items = createLineSplitter((line) => {
    const key = keyOf(parseLine(line), keyNames);
    if (isTurn(key) && !outcomes.has(key)) digest.addHash(hashOf(line));
  });
  await eachPart(input, input.lineKind, items);
  for (const hash of outcomes.values()) if (hash) digest.addHash(hash);
}

async function eachPart({ reader, open }: WantedLinesInput, kind: string, into: Pick<LineDigest, 'add' | 'endPart'>): Promise<void> {
  for await (const entry of open()) {
    if (entry.kind !== kind) continue;
    for await (const piece of readContent(reader, entry)) into.add(piece);
    into.endPart();
  }
}

type Members = Readonly<Record<string, unknown>>;

/** A key as text, the same for an item and for a change of it. */
function keyOf(members: Members, names: readonly string[]): string {
  return hashOf(Buffer.from(JSON.stringify(names.map((name) => members[name])))).toString('latin1', 0, 16);
}

function turnOf(key: string, turns: number): number {
  return (key.charCodeAt(0) * 256 + key.charCodeAt(1)) % turns;
}

function readChange(line: Uint8Array): { readonly key: Members; readonly item?: Uint8Array } {
  const { key, item } = parseLine(line) as { key?: Members; item?: unknown };
  if (key === undefined) throw new OpsError('input', 'a line of changes has no key');
  if (item === undefined) return { key };
  // As it is written: parsed and written again, its members could be in another order.
  const start = Buffer.from(line.buffer, line.byteOffset, line.length);
  const keyStart = start.indexOf('"key":') + '"key":'.length;
  const itemStart = endOfObject(start, keyStart) + ',"item":'.length;
  return { key, item: start.subarray(itemStart, endOfObject(start, itemStart)) };
}

/** Where the JSON object ends that begins there. */
function endOfObject(text: Uint8Array, start: number): number {
  const [quote, backslash, open, close] = [0x22, 0x5c, 0x7b, 0x7d];
  let depth = 0;
  let isString = false;
  for (let at = start; at < text.length; at++) {
    const byte = text[at];
    if (isString && byte === backslash) at++;
    else if (byte === quote) isString = !isString;
    else if (!isString && byte === open) depth++;
    else if (!isString && byte === close && --depth === 0) return at + 1;
  }
  throw new OpsError('input', 'a line of changes is cut off');
}

function parseLine(line: Uint8Array): Members {
  try {
    return JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8'));
  } catch (cause) {
    throw new OpsError('input', 'a line of items or changes is not JSON', { cause });
  }
}

function hashOf(line: Uint8Array): Buffer {
  return createHash('sha256').update(line).digest();
}

import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import * as z from 'zod';
import { mapConcurrent } from '#core/batch.ts';
import { OpsError } from '#core/errors.ts';
import { type RetryOptions, retry } from '#core/retry.ts';
import { DAY_MS, MINUTE_MS } from '#core/time.ts';
import type { BlobEntry, Blobs } from '#ports/blobs.ts';
import type { LogCoverage, Seal } from '#ports/change-log.ts';
import { type Change, decodeChange, encodeChange } from './change-stream.ts';

/**
 * The changes of one table, below `changes/<name>/`. `parts/<stream>/<shard>/<number>` are created once, and the last one of a shard says how
 * far the shard is captured: two captures at once write the same numbers, and only one of each is taken. `marks/<ms>` say for which
 * stretches of time every change is in the log.
 */
export interface ChangeLogDeps {
  readonly blobs: Blobs;
  readonly seal: Seal;
  /** What the log is of; one log for each table. */
  readonly name: string;
  readonly retry?: RetryOptions | undefined;
}

/** Some consecutive changes of one shard. */
export interface LogPart {
  readonly shardId: string;
  readonly parentId?: string | undefined;
  readonly closed: boolean;
  readonly capturedAtMs: number;
  readonly changes: readonly Change[];
  /** The last change of the shard in the log so far; undefined where it has none yet. */
  readonly after?: string | undefined;
}

/** `fromMs` to `untilMs` exclusive: every change of this stretch is in the log. */
export const LogMark = z.object({
  stream: z.string(),
  fromMs: z.number(),
  untilMs: z.number(),
  /** When the capture that wrote it began. */
  capturedAtMs: z.number(),
  /** How old the oldest change was that it captured: what would have been lost with the stream. */
  lagMs: z.number(),
});
export type LogMark = z.infer<typeof LogMark>;

const PartHeader = z.object({
  v: z.literal(1),
  shardId: z.string(),
  parentId: z.string().optional(),
  closed: z.boolean(),
  capturedAtMs: z.number(),
  after: z.string().optional(),
});

const NUMBER_DIGITS = 8;
/** A log of a month that is captured each minute has 43,200 marks. */
const MARKS_AT_ONCE = 32;
const TIME_DIGITS = 15;
const MAX_PART_BYTES = 256 * 1024 * 1024;

/** The last part of a shard and its number; undefined where it has none. */
export async function lastPart(
  log: ChangeLogDeps,
  stream: string,
  shardId: string,
): Promise<{ number: number; part: LogPart } | undefined> {
  const entries = await listAll(log, shardPrefix(log, stream, shardId));
  const key = entries.at(-1)?.key;
  return key === undefined ? undefined : { number: numberOf(key), part: await readPart(log, key) };
}

/** Writes the shard's part of this number; false where there is one already, whatever is in it. */
export async function writePart(log: ChangeLogDeps, stream: string, number: number, part: LogPart): Promise<boolean> {
  const { changes, ...header } = part;
  const lines = [JSON.stringify({ v: 1, ...header }), ...changes.map(encodeChange)];
  const key = `${shardPrefix(log, stream, part.shardId)}${digits(number, NUMBER_DIGITS)}`;
  const sealed = await log.seal.seal(zstdCompressSync(`${lines.join('\n')}\n`), key);
  return (await retry(() => log.blobs.put(key, sealed), log.retry)) === 'created';
}

/** A part by its key; `input` where it is none. */
export async function readPart(log: ChangeLogDeps, key: string): Promise<LogPart> {
  const [first = '', ...lines] = (await readText(log, key)).split('\n').slice(0, -1);
  const header = PartHeader.safeParse(parseJson(first));
  if (!header.success) throw new OpsError('input', `${key} is no part of a change log`);
  const { v: _version, ...fields } = header.data;
  return { ...fields, changes: lines.map(decodeChange) };
}

/** Says that a stretch is whole. Of two at the same moment one is kept: both are true. */
export async function writeMark(log: ChangeLogDeps, mark: LogMark): Promise<void> {
  const key = `${marksPrefix(log)}${digits(mark.capturedAtMs, TIME_DIGITS)}`;
  const sealed = await log.seal.seal(Buffer.from(JSON.stringify(mark)), key);
  await retry(() => log.blobs.put(key, sealed), log.retry);
}

/** The mark of the latest capture; undefined before the first. */
export async function lastMark(log: ChangeLogDeps, nowMs: number): Promise<LogMark | undefined> {
  const recent = await listAll(log, marksPrefix(log), `${marksPrefix(log)}${digits(Math.max(0, nowMs - DAY_MS), TIME_DIGITS)}`);
  const key = recent.at(-1)?.key ?? (await listAll(log, marksPrefix(log))).at(-1)?.key;
  return key === undefined ? undefined : await readMark(log, key);
}

/** All marks, by the time of their captures. */
export async function readMarks(log: ChangeLogDeps): Promise<LogMark[]> {
  return await mapConcurrent(await listAll(log, marksPrefix(log)), MARKS_AT_ONCE, ({ key }) => readMark(log, key));
}

/** Keys of parts, those of one shard in order, of all streams. */
export function listParts(log: ChangeLogDeps): Promise<BlobEntry[]> {
  return listAll(log, `${root(log)}parts/`);
}

async function readMark(log: ChangeLogDeps, key: string): Promise<LogMark> {
  const bytes = await log.seal.open(await retry(() => log.blobs.get(key), log.retry), key);
  const mark = LogMark.safeParse(parseJson(Buffer.from(bytes).toString()));
  if (!mark.success) throw new OpsError('input', `${key} is no mark of a change log`);
  return mark.data;
}

async function readText(log: ChangeLogDeps, key: string): Promise<string> {
  const plain = await log.seal.open(await retry(() => log.blobs.get(key), log.retry), key);
  try {
    return zstdDecompressSync(plain, { maxOutputLength: MAX_PART_BYTES }).toString('utf8');
  } catch (cause) {
    throw new OpsError('input', `${key} is damaged`, { cause });
  }
}

async function listAll(log: ChangeLogDeps, prefix: string, from?: string): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  for (let after = from; ; ) {
    const page = await retry(() => log.blobs.list(prefix, { after }), log.retry);
    entries.push(...page.entries);
    if (page.next === undefined) return entries;
    after = page.next;
  }
}

function root({ name }: ChangeLogDeps): string {
  return `changes/${name}/`;
}

function marksPrefix(log: ChangeLogDeps): string {
  return `${root(log)}marks/`;
}

function shardPrefix(log: ChangeLogDeps, stream: string, shardId: string): string {
  return `${root(log)}parts/${stream}/${shardId.replace(/[^A-Za-z0-9_.-]/g, '.')}/`;
}

function numberOf(key: string): number {
  return Number(key.slice(-NUMBER_DIGITS));
}

function digits(value: number, width: number): string {
  return String(Math.floor(value)).padStart(width, '0');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Which times a log covers, by its marks. */
export function coverageOf(marks: readonly LogMark[]): LogCoverage {
  const sorted = [...marks].sort((a, b) => a.fromMs - b.fromMs || a.untilMs - b.untilMs);
  const stretches: { fromMs: number; untilMs: number }[] = [];
  for (const { fromMs, untilMs } of sorted) {
    const last = stretches.at(-1);
    if (last === undefined || fromMs > last.untilMs) stretches.push({ fromMs, untilMs });
    else last.untilMs = Math.max(last.untilMs, untilMs);
  }
  const gaps = stretches.slice(1).map((stretch, i) => ({ fromMs: stretches[i]?.untilMs ?? 0, untilMs: stretch.fromMs }));
  const byCapture = [...marks].sort((a, b) => a.capturedAtMs - b.capturedAtMs);
  const waits = byCapture.slice(1).map(({ capturedAtMs }, i) => capturedAtMs - (byCapture[i]?.untilMs ?? capturedAtMs));
  const lengths = gaps.map(({ fromMs, untilMs }) => untilMs - fromMs);
  return { stretches, gaps, rpoMs: Math.max(0, ...lengths, ...waits, ...marks.map(({ lagMs }) => lagMs)) };
}

/**
 * Keys that no restore needs whose base is of `keepFromMs` or later (for a fuzzy base: whose scan began then): parts and marks written well
 * before. The newest part of a shard stays for as long as its stream may have it, since it says how far the shard is captured.
 */
export function planLogPruning(entries: readonly BlobEntry[], keepFromMs: number, nowMs: number): string[] {
  const beforeMs = keepFromMs - CLOCK_MARGIN_MS;
  const newest = new Map<string, string>();
  for (const { key } of entries) newest.set(key.slice(0, key.lastIndexOf('/')), key);
  const isHead = ({ key, modifiedAtMs }: BlobEntry) =>
    newest.get(key.slice(0, key.lastIndexOf('/'))) === key && modifiedAtMs > nowMs - 3 * DAY_MS;
  return entries.filter((entry) => entry.modifiedAtMs < beforeMs && !isHead(entry)).map(({ key }) => key);
}

/** How far the clocks of the stream and of the store may be apart. */
export const CLOCK_MARGIN_MS = 15 * MINUTE_MS;

/** Deletes what `planLogPruning` names; gives how many. The role that captures need not be allowed to. */
export async function pruneChangeLog(log: ChangeLogDeps, input: { keepFromMs: number; nowMs: number }): Promise<number> {
  const keys = planLogPruning(await listAll(log, root(log)), input.keepFromMs, input.nowMs);
  if (keys.length > 0) await retry(() => log.blobs.delete(keys), log.retry);
  return keys.length;
}

import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isOpsError, OpsError } from '#core/errors.ts';
import { type RetryOptions, retry } from '#core/retry.ts';
import { compareUtf8 } from '#core/text.ts';
import type { BackupSource, SourceGuarantee, SourceItem } from '#ports/backup-source.ts';
import type { Blobs } from '#ports/blobs.ts';
import type { TableDump, TableMoment } from '#ports/table-dump.ts';
import { encodeItemLine } from './item-line.ts';
import { namedBlobs } from './named-blobs.ts';

export interface SelfSourceDeps {
  readonly dump: TableDump;
  readonly blobs: Blobs;
  /** As the user wrote it. Default `quarterdeck:`. */
  readonly name?: string | undefined;
  /** Nobody writes to it, so that an object that is not there is lost: told, and no reason for another pass. Default false. */
  readonly isStill?: boolean | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Size of a part of the catalog, about. Default 4 MiB. */
  readonly partBytes?: number | undefined;
}

const PART_BYTES = 4 * 1024 * 1024;
const MAX_PASSES = 5;
const MOMENT_ATTEMPTS = 10;
const MAX_PASSING_BYTES = 256 * 1024 * 1024;

const Cursor = z.object({ v: z.literal(1), pass: z.number().int().min(1) });
type Cursor = z.infer<typeof Cursor>;

/**
 * Quarterdeck itself as a source: a pass is the catalog (`<pass>/catalog/<part>`, every item of the table) and the objects that it names
 * (`<pass>/objects/<key>`). Objects are immutable; where some are gone by the time they are read, because a compaction replaced them, there is
 * another pass with a catalog that no longer names them, and the last pass is what counts. A backup that goes on later begins a new pass,
 * since the moment has gone with the process that held it.
 */
export function openSelfSource(deps: SelfSourceDeps): BackupSource {
  let held: TableMoment | undefined;
  let guarantee: SourceGuarantee | undefined;
  return {
    type: 'quarterdeck',
    name: deps.name ?? 'quarterdeck:',
    async *list({ after }) {
      const start = after === undefined ? undefined : parseCursor(after);
      // What an earlier run's catalog named it alone knew: going on is a new pass with all of its objects.
      const given = new Set<string>();
      const first = start === undefined ? 1 : start.pass + 1;
      for (let pass = first; pass < first + MAX_PASSES; pass++) {
        const gone = new Set<string>();
        const passing = await beginWhole(deps, (moment) => {
          held = moment;
        });
        const moment = held as TableMoment;
        guarantee = guaranteeOf(moment);
        const named = new Set<string>();
        yield* listCatalog(deps, { moment, pass, named });
        await moment.close();
        yield* listObjects(deps, { pass, named, given, passing, gone });
        if (gone.size === 0 || deps.isStill) return;
      }
      throw new OpsError('unavailable', 'objects of the catalog vanish faster than they can be read', {
        hint: 'Make the grace period of replaced blocks longer, or the backup faster.',
      });
    },
    async guarantee() {
      if (guarantee === undefined) throw new OpsError('input', 'Quarterdeck has not been read yet');
      return guarantee;
    },
    async close() {
      await held?.close();
    },
  };
}

function parseCursor(text: string): Cursor {
  const parsed = Cursor.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new OpsError('input', 'this is no place in a backup of Quarterdeck');
}

/** Begins at a moment whose passing objects could all be read: they are few and small, and deleted as soon as they are replaced. */
async function beginWhole(deps: SelfSourceDeps, hold: (moment: TableMoment) => void): Promise<Map<string, Uint8Array>> {
  for (let attempt = 1; ; attempt++) {
    const moment = await retry(() => deps.dump.begin(), deps.retry);
    hold(moment);
    const { found, lost } = await readPassing(deps, moment);
    // One that is lost at every moment was lost before, and is told when it is read again.
    if (lost === 0 || attempt === MOMENT_ATTEMPTS) return found;
    await moment.close();
  }
}

async function readPassing(deps: SelfSourceDeps, moment: TableMoment): Promise<{ found: Map<string, Uint8Array>; lost: number }> {
  const found = new Map<string, Uint8Array>();
  let lost = 0;
  let sizeBytes = 0;
  for await (const item of moment.scan()) {
    for (const { key, isPassing } of namedBlobs(item)) {
      if (!isPassing) continue;
      try {
        const bytes = await retry(() => deps.blobs.get(key), deps.retry);
        found.set(key, bytes);
        sizeBytes += bytes.length;
      } catch (error) {
        if (!isOpsError(error, 'missing')) throw error;
        lost++;
      }
    }
    if (sizeBytes > MAX_PASSING_BYTES) throw new OpsError('limit', `what alerts keep is larger than ${MAX_PASSING_BYTES} bytes`);
  }
  return { found, lost };
}

async function* listCatalog(
  deps: SelfSourceDeps,
  run: { moment: TableMoment; pass: number; named: Set<string> },
): AsyncGenerator<SourceItem> {
  const partBytes = deps.partBytes ?? PART_BYTES;
  let lines: string[] = [];
  let sizeBytes = 0;
  let part = 0;
  const cut = (): SourceItem => {
    const bytes = Buffer.from(lines.join(''));
    const item = {
      path: `${passName(run.pass)}/catalog/${String(part++).padStart(6, '0')}`,
      kind: 'catalog',
      stamp: createHash('sha256').update(bytes).digest('hex'),
      meta: { count: lines.length },
    };
    lines = [];
    sizeBytes = 0;
    return { ...item, open: (offset) => piecesOf(bytes, offset), cursor: cursorOf(run.pass) };
  };
  for await (const item of run.moment.scan()) {
    for (const { key } of namedBlobs(item)) run.named.add(key);
    const line = `${encodeItemLine(item)}\n`;
    lines.push(line);
    sizeBytes += line.length;
    if (sizeBytes >= partBytes) yield cut();
  }
  // An empty catalog is one part too: the pass was there.
  if (lines.length > 0 || part === 0) yield cut();
}

interface ObjectsRun {
  readonly pass: number;
  readonly named: ReadonlySet<string>;
  readonly given: Set<string>;
  readonly passing: ReadonlyMap<string, Uint8Array>;
  readonly gone: Set<string>;
}

async function* listObjects(deps: SelfSourceDeps, run: ObjectsRun): AsyncGenerator<SourceItem> {
  for (const key of [...run.named].sort(compareUtf8)) {
    if (run.given.has(key)) continue;
    run.given.add(key);
    const open = async function* (offset: number) {
      try {
        const bytes = run.passing.get(key) ?? (await retry(() => deps.blobs.get(key), deps.retry));
        yield* piecesOf(bytes, offset);
      } catch (error) {
        if (isOpsError(error, 'missing')) run.gone.add(key);
        throw error;
      }
    };
    // Immutable: the key says it all.
    yield {
      path: `${passName(run.pass)}/objects/${key}`,
      kind: 'blob',
      stamp: 'immutable',
      meta: { key },
      open,
      cursor: cursorOf(run.pass),
    };
  }
}

function cursorOf(pass: number): string {
  return JSON.stringify({ v: 1, pass } satisfies Cursor);
}

function passName(pass: number): string {
  return String(pass).padStart(3, '0');
}

function guaranteeOf({ consistency, atMs }: TableMoment): SourceGuarantee {
  const at = new Date(atMs).toISOString();
  if (consistency === 'moment') {
    return { consistency, at, sentence: 'The catalog at this instant, with every object that it names; objects never change.' };
  }
  return {
    consistency,
    at,
    sentence: 'Each item of the catalog as it was when it was scanned, with the objects that it names; objects never change.',
  };
}

async function* piecesOf(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  if (offset < bytes.length) yield bytes.subarray(offset);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

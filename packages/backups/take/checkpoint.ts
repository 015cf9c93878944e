import * as z from 'zod';
import { type Content, type ContentState, decodeRefs, encodeRefs } from '#backups/entries/chunk-refs.ts';
import type { EntryWriterState } from '#backups/entries/entry-writer.ts';
import { damaged, type Sealing, sealJson, unsealJson } from '#backups/format/sealed-object.ts';
import type { Secrets } from '#backups/format/secrets.ts';
import type { SourceFault } from '#ports/backup-source.ts';

/** An item that a checkpoint fell into: it goes on from there if its stamp is still the same. */
export interface PartialItem {
  readonly path: string;
  readonly stamp: string;
  readonly offset: number;
  readonly content: ContentState;
}

export interface PassCounts {
  items: number;
  bytes: number;
  unchangedItems: number;
  changedItems: number;
  newItems: number;
}

/** How far a session has come: everything that it needs to go on in another process. */
export interface Checkpoint {
  readonly startedAt: string;
  /** 1 for the first pass over the source. */
  readonly pass: number;
  readonly passStartedAt: string;
  readonly parent?: string | undefined;
  /** What the pass before this one found. */
  readonly previous?: Content | undefined;
  readonly cursor?: string | undefined;
  readonly entries: EntryWriterState;
  readonly partial?: PartialItem | undefined;
  readonly counts: PassCounts;
  readonly totals: { readonly readBytes: number; readonly newBytes: number; readonly storedBytes: number };
  readonly movedPaths: readonly string[];
  readonly faults: readonly SourceFault[];
  readonly faultCount: number;
}

const refs = z.base64().transform((text) => decodeRefs(Buffer.from(text, 'base64')));
const state = z.object({ lists: refs, refs });
const count = z.number();
const Stored = z.object({
  startedAt: z.string(),
  pass: z.int(),
  passStartedAt: z.string(),
  parent: z.string().optional(),
  previous: z.object({ refs, areLists: z.boolean() }).optional(),
  cursor: z.string().optional(),
  entries: z.object({
    chunks: state,
    pending: z.base64().transform((text) => Buffer.from(text, 'base64')),
    lastPath: z.string().optional(),
  }),
  partial: z.object({ path: z.string(), stamp: z.string(), offset: count, content: state }).optional(),
  counts: z.object({ items: count, bytes: count, unchangedItems: count, changedItems: count, newItems: count }),
  totals: z.object({ readBytes: count, newBytes: count, storedBytes: count }),
  movedPaths: z.array(z.string()),
  faults: z.array(z.object({ path: z.string(), message: z.string() })),
  faultCount: count,
});

/** The sealed checkpoint. */
export function encodeCheckpoint(sealing: Sealing, key: string, checkpoint: Checkpoint): Uint8Array {
  const text = (list: Parameters<typeof encodeRefs>[0]) => encodeRefs(list).toString('base64');
  const stateOf = (content: ContentState) => ({ lists: text(content.lists), refs: text(content.refs) });
  const { entries, previous, partial } = checkpoint;
  const record = {
    ...checkpoint,
    previous: previous && { refs: text(previous.refs), areLists: previous.areLists },
    entries: { ...entries, chunks: stateOf(entries.chunks), pending: Buffer.from(entries.pending).toString('base64') },
    partial: partial && { ...partial, content: stateOf(partial.content) },
  };
  return sealJson(sealing, key, JSON.parse(JSON.stringify(record)));
}

/** What `encodeCheckpoint` was given. */
export function decodeCheckpoint(secrets: Secrets, key: string, bytes: Uint8Array): Checkpoint {
  const { data, error } = Stored.safeParse(unsealJson(secrets, key, bytes));
  if (!data) throw damaged(key, 'it has not the fields of a checkpoint', error);
  return data;
}

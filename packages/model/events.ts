import * as z from 'zod';

/** What every event of ours carries. */
const Envelope = z.object({
  /** Unique: the same event may come twice. */
  id: z.string().min(1),
  tenant: z.string().min(1),
  /** When it happened. */
  at: z.iso.datetime(),
});

/** A window's data was rewritten: compacted, or derived as aggregates. */
export const BlockCommitted = Envelope.extend({
  signal: z.literal('metrics'),
  tier: z.enum(['hot', 'warm', 'cold']),
  /** The UTC day that is the window. */
  date: z.iso.date(),
  /** Whether the window now consists of final blocks, so that its aggregates can be made. */
  final: z.boolean(),
  /** Blocks written. */
  blocks: z.int().min(0),
  rows: z.int().min(0),
  sizeBytes: z.int().min(0),
});
export type BlockCommitted = z.infer<typeof BlockCommitted>;

/** A window's data was deleted at the end of its retention. */
export const WindowExpired = Envelope.extend({
  signal: z.literal('metrics'),
  tier: z.enum(['hot', 'warm', 'cold']),
  /** The UTC day that was the window. */
  date: z.iso.date(),
  /** Segments and blocks deleted. */
  blocks: z.int().min(0),
});
export type WindowExpired = z.infer<typeof WindowExpired>;

/** An import stopped before the end of its file, and is to go on from there. */
export const ImportContinued = Envelope.extend({ uploadId: z.string() });
export type ImportContinued = z.infer<typeof ImportContinued>;

/** An uploaded file has been imported, or given up. */
export const ImportFinished = Envelope.extend({
  uploadId: z.string(),
  state: z.enum(['done', 'failed']),
  /** Samples taken. */
  accepted: z.int().min(0),
  /** Samples left out. */
  rejected: z.int().min(0),
});
export type ImportFinished = z.infer<typeof ImportFinished>;

/** Every event that we publish: where it comes from, what it is called, what it carries. docs/events.md is made from this. */
export const eventTypes = [
  { source: 'quarterdeck.storage', detailType: 'Block Committed', schema: BlockCommitted },
  { source: 'quarterdeck.storage', detailType: 'Window Expired', schema: WindowExpired },
  { source: 'quarterdeck.ingest', detailType: 'Import Continued', schema: ImportContinued },
  { source: 'quarterdeck.ingest', detailType: 'Import Finished', schema: ImportFinished },
] as const;

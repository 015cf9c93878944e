import type { AggregateColumns } from '#model/samples.ts';
import type { WriteBody } from '#test/ingest/write-bodies.ts';
import type { Samples } from '#test/storage/model.ts';

/** What a process is started with. */
export interface ProcessSettings {
  readonly seed: number;
  readonly endpoints: { readonly dynamo: string; readonly s3: string };
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly bucket: string;
  readonly table: string;
  readonly clockPath: string;
  /** How far its clock is ahead. */
  readonly skewMs: number;
  /** Leases hold it back, as they do everybody; without them it goes on like one that has outlived its own. */
  readonly heedsLeases: boolean;
}

/** What a process can be told to do, and what it answers. */
export interface Commands {
  append: { input: WriteBody; output: undefined };
  run: { input: { readonly name: string; readonly event: Readonly<Record<string, unknown>> }; output: unknown };
  readRaw: { input: { readonly backMs: number }; output: RawAnswer };
  readTier: { input: { readonly tier: 'warm' | 'cold'; readonly startMs: number }; output: Map<string, AggregateColumns> };
}

export interface RawAnswer {
  readonly samples: Samples;
  /** From when on the answer must have everything: later than what went past its retention meanwhile. */
  readonly fromMs: number;
}

export interface Command {
  readonly number: number;
  readonly name: keyof Commands;
  readonly input: unknown;
}

/** The answer to a command, or how it failed. */
export interface Reply {
  readonly number: number;
  readonly output?: unknown;
  readonly failure?: { readonly kind: string; readonly message: string };
}

export const TENANT = 't';
export const METRICS = ['up', 'load'];

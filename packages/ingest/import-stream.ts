import type { MetricMetadata } from '#ports/sample-source.ts';
import type { DecodeContext } from './decode-context.ts';
import type { Decoded, Rejection } from './decoded.ts';
import { decodePrometheusText } from './exposition.ts';
import { decodeInflux } from './influx.ts';
import type { InfluxPrecision } from './influx-protocol.ts';
import { decodeJsonLines } from './json-lines.ts';
import { finishLineRun, type LineOptions, type RejectedLine, startLineRun } from './line-run.ts';
import { createRejectionList } from './rejections.ts';
import { type LineBlock, type SplitOptions, splitLines } from './split-lines.ts';

/** The formats whose lines stand alone, so that a file of any size can be read. */
export type ImportFormat = 'prometheus' | 'json-lines' | 'influx';

export interface ImportOptions extends SplitOptions {
  readonly format: ImportFormat;
  /** For influx; nanoseconds by default. */
  readonly precision?: InfluxPrecision | undefined;
  /** For influx. */
  readonly keepUtf8Names?: boolean | undefined;
  /** Rejected lines to keep with their messages; the rest are only counted. 100 by default. */
  readonly maxReported?: number | undefined;
  /** The stream begins behind what this says has been read: the progress of some block, to go on from there. */
  readonly from?: ImportProgress | undefined;
}

/** How far an import has come, from its start. */
export interface ImportProgress {
  readonly bytes: number;
  readonly lines: number;
  readonly samples: number;
  /** Lines of which something was left out. */
  readonly rejectedLines: number;
  /** The first of them. */
  readonly reported: readonly RejectedLine[];
  readonly rejections: readonly Rejection[];
}

export interface ImportBlock {
  /** What the block's lines hold; its rejections are those of the block. */
  readonly decoded: Decoded;
  /** As of the end of this block. */
  readonly progress: ImportProgress;
}

/** The progress of an import that has not begun. */
const nothingRead: ImportProgress = { bytes: 0, lines: 0, samples: 0, rejectedLines: 0, reported: [], rejections: [] };

/** Most metrics whose metadata is put together across blocks. */
const MAX_METADATA = 100_000;

/**
 * Decodes a stream of lines in blocks of bounded size, in order. Lines that cannot be read are left out, counted and, the first of
 * them, reported with their number in the stream. Metadata whose lines lie in different blocks comes whole with the later one.
 */
export async function* decodeLines(
  chunks: AsyncIterable<Uint8Array>,
  context: DecodeContext,
  options: ImportOptions,
): AsyncGenerator<ImportBlock, void, undefined> {
  const tally = startTally(options.maxReported ?? 100, options.from ?? nothingRead);
  const metadata = new Map<string, MetricMetadata>();
  for await (const block of splitLines(chunks, options, (options.from ?? nothingRead).lines + 1)) {
    const lineOptions: LineOptions = { onBadLine: 'reject', firstLine: block.firstLine, onRejectedLine: tally.reject };
    const decoded = block.isTooLong ? rejectTooLong(block, context, lineOptions) : decodeBlock(block.bytes, context, options, lineOptions);
    yield {
      decoded: { ...decoded, metadata: decoded.metadata.map((entry) => mergeMetadata(metadata, entry)) },
      progress: tally.add(block, decoded),
    };
  }
}

function decodeBlock(bytes: Uint8Array, context: DecodeContext, options: ImportOptions, lineOptions: LineOptions): Decoded {
  switch (options.format) {
    case 'prometheus':
      return decodePrometheusText(bytes, context, lineOptions);
    case 'json-lines':
      return decodeJsonLines(bytes, context, lineOptions);
    case 'influx':
      return decodeInflux(bytes, context, { ...lineOptions, precision: options.precision ?? 'ns', keepUtf8Names: options.keepUtf8Names });
  }
}

function rejectTooLong(block: LineBlock, context: DecodeContext, options: LineOptions): Decoded {
  const run = startLineRun(context, options);
  const message = 'the line is too long';
  run.rejections.add('malformed-line', 1, () => `line ${block.firstLine}, column 1: ${message}`);
  options.onRejectedLine?.({ line: block.firstLine, column: 1, message });
  return finishLineRun(run);
}

interface Tally {
  readonly reject: (rejected: RejectedLine) => void;
  add(block: LineBlock, decoded: Decoded): ImportProgress;
}

function startTally(maxReported: number, from: ImportProgress): Tally {
  const rejections = createRejectionList(from.rejections);
  const reported = [...from.reported];
  let { bytes, lines, samples, rejectedLines } = from;
  let lastRejected = 0;
  return {
    reject(rejected) {
      if (rejected.line === lastRejected) return;
      lastRejected = rejected.line;
      rejectedLines++;
      if (reported.length < maxReported) reported.push(rejected);
    },
    add(block, decoded) {
      bytes += block.sizeBytes;
      lines += block.lines;
      samples += decoded.batch.ts.length;
      for (const { reason, count, message } of decoded.rejections) rejections.add(reason, count, () => message);
      return {
        bytes,
        lines,
        samples,
        rejectedLines,
        reported: [...reported],
        rejections: rejections.finish().map((rejection) => ({ ...rejection })),
      };
    },
  };
}

function mergeMetadata(known: Map<string, MetricMetadata>, entry: MetricMetadata): MetricMetadata {
  const before = known.get(entry.metric);
  const merged: MetricMetadata = {
    metric: entry.metric,
    type: entry.type !== 'unknown' ? entry.type : (before?.type ?? entry.type),
    help: entry.help || (before?.help ?? ''),
    unit: entry.unit || (before?.unit ?? ''),
  };
  if (before !== undefined || known.size < MAX_METADATA) known.set(entry.metric, merged);
  return merged;
}

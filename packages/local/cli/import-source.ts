import { open } from 'node:fs/promises';
import { OpsError } from '#core/errors.ts';
import type { ImportFormat } from '#ingest/import-stream.ts';
import type { ImportEncoding } from '#ingest/imports/import-record.ts';
import { decideEncoding } from '#ingest/imports/object-text.ts';

/** What a file holds. OpenMetrics is one document, so that only a request can take it. */
export type FileFormat = ImportFormat | 'openmetrics';

/** A file to import. */
export interface ImportSource {
  readonly path: string;
  readonly sizeBytes: number;
  readonly format: FileFormat;
  readonly encoding: ImportEncoding;
}

/** Formats by name, as `--format` takes them. */
export const fileFormats: readonly FileFormat[] = ['prometheus', 'openmetrics', 'json-lines', 'influx'];

const FORMATS: Readonly<Record<string, FileFormat>> = {
  prom: 'prometheus',
  txt: 'prometheus',
  om: 'openmetrics',
  openmetrics: 'openmetrics',
  jsonl: 'json-lines',
  ndjson: 'json-lines',
  lp: 'influx',
  influx: 'influx',
};

/** The format that a file's name tells, with or without `.gz` or `.zst` behind it; undefined where it tells none. */
export function formatOfName(path: string): FileFormat | undefined {
  const extension = /\.([^./\\]+)$/.exec(path.replace(/\.(?:gz|zst|zstd)$/i, ''))?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(FORMATS, extension) ? FORMATS[extension] : undefined;
}

/** The extensions that tell a format, for messages. */
export const knownExtensions = Object.keys(FORMATS)
  .map((extension) => `.${extension}`)
  .join(' ');

/** Looks at a file, without reading more than its beginning. `input` where it cannot be read. */
export async function openSource(path: string, format: FileFormat): Promise<ImportSource> {
  try {
    const file = await open(path);
    try {
      const about = await file.stat();
      if (!about.isFile()) throw new OpsError('input', `${path} is not a file`);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
      return { path, sizeBytes: about.size, format, encoding: decideEncoding(buffer.subarray(0, bytesRead), undefined) };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof OpsError) throw cause;
    throw new OpsError('input', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

import { compressSync } from 'snappy';
import type { Row } from '#test/storage/store.ts';
import { encodeWriteRequest } from './proto-writer.ts';

/** A request that sends rows. */
export interface WriteBody {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Rows as a sender of that protocol puts them on the wire: the same rows, the same bytes. */
export function writeBody(protocol: 'remote-write' | 'json-lines', rows: readonly Row[]): WriteBody {
  const bySeries = new Map<string, Row[]>();
  for (const row of rows) bySeries.set(row.series, [...(bySeries.get(row.series) ?? []), row]);
  const series = Array.from(bySeries, ([text, samples]) => ({ labels: labelsOf(text), samples }));
  if (protocol === 'remote-write') {
    const headers = {
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'x-prometheus-remote-write-version': '0.1.0',
    };
    return { path: '/api/v1/write', headers, body: new Uint8Array(compressSync(encodeWriteRequest(series))) };
  }
  const lines = series.map(({ labels, samples }) =>
    JSON.stringify({
      metric: Object.fromEntries(labels),
      values: samples.map(({ value }) => value),
      timestamps: samples.map(({ ts }) => ts),
    }),
  );
  return { path: '/api/v1/import', headers: {}, body: new TextEncoder().encode(`${lines.join('\n')}\n`) };
}

function labelsOf(text: string): [string, string][] {
  const [metric = '', ...labels] = text.split(',');
  return [['__name__', metric], ...labels.map((label) => label.split('=') as [string, string])];
}

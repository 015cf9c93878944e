import { encodeWriteRequest } from '#test/ingest/proto-writer.ts';

/** One series for each of so many instances, a sample every 15 s over ten minutes. */
export function writeRequest(startMs: number, instances: number): Uint8Array {
  const timestamps = Array.from({ length: 40 }, (_, i) => startMs + i * 15_000);
  return encodeWriteRequest(
    Array.from({ length: instances }, (_, instance) => ({
      labels: [
        ['__name__', 'requests_total'],
        ['instance', `host-${instance}`],
      ],
      samples: timestamps.map((ts, i) => ({ value: i * 15, ts })),
    })),
  );
}

import { createHash } from 'node:crypto';
import type { SampleBatch } from '#model/samples.ts';
import { splitRuns } from '#model/series-runs.ts';

/**
 * Identity of a request: 32 hex digits of SHA-256 over tenant, samples in the order decoded (series, time, value, flags, start),
 * and `nonce`. The same samples in another encoding are the same request; times must be resolved already.
 */
export function requestId(tenant: string, batch: SampleBatch, nonce = ''): string {
  const hash = createHash('sha256').update(JSON.stringify([tenant, nonce]));
  for (const run of splitRuns(batch.series)) hash.update(run.digest);
  for (const column of [batch.seriesIndex, batch.ts, batch.value, batch.flags, batch.startTs]) {
    if (column) hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest('hex').slice(0, 32);
}

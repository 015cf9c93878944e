import { createHash } from 'node:crypto';
import type { SampleBatch } from '#model/samples.ts';
import { type Series, seriesKey } from '#model/series.ts';

const DIGEST_BYTES = 16;
const digests = new WeakMap<Series, Buffer>();

/**
 * Identity of a request: 32 hex digits of SHA-256 over tenant, samples in the order decoded (series, time, value, flags, start),
 * and `nonce`. The same samples in another encoding are the same request; times must be resolved already.
 */
export function requestId(tenant: string, batch: SampleBatch, nonce = ''): string {
  const hash = createHash('sha256').update(JSON.stringify([tenant, nonce]));
  hash.update(Buffer.concat(batch.series.map(digestOf)));
  for (const column of [batch.seriesIndex, batch.ts, batch.value, batch.flags, batch.startTs]) {
    if (column) hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest('hex').slice(0, 32);
}

function digestOf(series: Series): Buffer {
  let digest = digests.get(series);
  if (!digest) {
    digest = createHash('sha256').update(seriesKey(series)).digest().subarray(0, DIGEST_BYTES);
    digests.set(series, digest);
  }
  return digest;
}

import { OpsError } from '#core/errors.ts';
import type { BusEvent } from './bus.ts';

/** The most bytes of an event's detail as JSON. */
const MAX_DETAIL_BYTES = 200 * 1024;

/** The detail as JSON; `input` if it is over 200 KB. */
export function serializeDetail(event: BusEvent): string {
  const json = JSON.stringify(event.detail);
  const sizeBytes = Buffer.byteLength(json);
  if (sizeBytes <= MAX_DETAIL_BYTES) return json;
  throw new OpsError('input', `event ${event.source} "${event.detailType}" has ${sizeBytes} bytes`, {
    hint: `at most ${MAX_DETAIL_BYTES}; a larger body travels as the key of a blob`,
  });
}

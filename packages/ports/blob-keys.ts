import { OpsError } from '#core/errors.ts';
import type { ByteRange } from './blobs.ts';

const MAX_KEY_CHARACTERS = 900;
const KEY_CHARACTERS = /^[A-Za-z0-9!_.*'()=/-]+$/;

/** True if the text is a key that every blob store takes. */
export function isBlobKey(key: string): boolean {
  if (key.length > MAX_KEY_CHARACTERS || !KEY_CHARACTERS.test(key)) return false;
  return key.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

/** Throws `input` unless the text is a blob key. */
export function assertBlobKey(key: string): void {
  if (isBlobKey(key)) return;
  const shown = JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}...` : key);
  throw new OpsError('input', `${shown} is not a blob key`, {
    hint: `1 to ${MAX_KEY_CHARACTERS} characters of A-Za-z0-9!_.*'()=/- without empty, "." or ".." segments`,
  });
}

/** Throws `input` unless the range is one of whole, non-negative offsets with at least one byte. */
export function assertByteRange(range: ByteRange): void {
  if (Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end) && range.start >= 0 && range.end > range.start) return;
  throw new OpsError('input', `bytes ${range.start} to ${range.end} are not a range`, { hint: 'start >= 0 and end > start, both whole' });
}

/** Throws `input` if the range starts at or past the end of an object of this size. */
export function assertRangeWithin(key: string, range: ByteRange, sizeBytes: number): void {
  if (range.start < sizeBytes) return;
  throw new OpsError('input', `range starts at byte ${range.start} of ${key}, which has ${sizeBytes}`);
}

/** The number of entries a page of a list may have; `input` unless it is a whole number above 0. */
export function listLimit(limit: number | undefined): number {
  if (limit === undefined) return 1_000;
  if (!Number.isInteger(limit) || limit < 1)
    throw new OpsError('input', `a page of ${limit} entries is not possible`, { hint: '1 to 1,000' });
  return Math.min(limit, 1_000);
}

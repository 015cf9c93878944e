import { closeSync, openSync, readSync, writevSync } from 'node:fs';
import { crc32 } from 'node:zlib';

// A pack: records one after the other, only ever appended to. A record is u32 magic, u32 bytes of the key, u32 bytes of the
// body, f64 time in ms, u32 CRC-32 of key and body, then key and body. A body of DELETED bytes is none: the record says that
// the object of that key, in this pack or another, is deleted.

const MAGIC = 0x4b415051;
const RECORD_HEADER_BYTES = 24;
const DELETED = 0xffffffff;
const MAX_KEY_BYTES = 4_096;
const SCAN_BYTES = 1024 * 1024;

/** What a scan finds: an object and where its bytes lie, or that one is deleted. */
export type PackRecord =
  | { readonly kind: 'object'; readonly key: string; readonly offset: number; readonly sizeBytes: number; readonly modifiedAtMs: number }
  | { readonly kind: 'deleted'; readonly key: string };

/** Appends one record in one write; returns where the body begins, counted from the record's start. */
export function appendRecord(fd: number, key: string, body: Uint8Array | undefined, nowMs: number): { sizeBytes: number; bodyAt: number } {
  const name = Buffer.from(key);
  const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(name.length, 4);
  header.writeUInt32LE(body?.length ?? DELETED, 8);
  header.writeDoubleLE(nowMs, 12);
  header.writeUInt32LE(crc32(body ?? new Uint8Array(0), crc32(name)), 20);
  const parts = body ? [header, name, body] : [header, name];
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const written = writevSync(fd, parts);
  if (written !== sizeBytes) throw new Error(`only ${written} of ${sizeBytes} bytes were written`);
  return { sizeBytes, bodyAt: RECORD_HEADER_BYTES + name.length };
}

/** Reads records from `from` on. Ends before a record that is torn, damaged or still being written; `end` is where it would begin. */
export function scanPack(path: string, from: number): { records: PackRecord[]; end: number } {
  const fd = openSync(path, 'r');
  try {
    const records: PackRecord[] = [];
    let at = from;
    for (;;) {
      const record = readRecord(fd, at);
      if (!record) return { records, end: at };
      records.push(record.record);
      at = record.end;
    }
  } finally {
    closeSync(fd);
  }
}

function readRecord(fd: number, at: number): { record: PackRecord; end: number } | undefined {
  const header = readAt(fd, at, RECORD_HEADER_BYTES);
  if (!header || header.readUInt32LE(0) !== MAGIC || header.readUInt32LE(4) > MAX_KEY_BYTES) return undefined;
  const name = readAt(fd, at + RECORD_HEADER_BYTES, header.readUInt32LE(4));
  if (!name) return undefined;
  const key = name.toString();
  const offset = at + RECORD_HEADER_BYTES + name.length;
  const stored = header.readUInt32LE(8);
  const sizeBytes = stored === DELETED ? 0 : stored;
  if (checksum(fd, offset, sizeBytes, crc32(name)) !== header.readUInt32LE(20)) return undefined;
  const end = offset + sizeBytes;
  if (stored === DELETED) return { record: { kind: 'deleted', key }, end };
  return { record: { kind: 'object', key, offset, sizeBytes, modifiedAtMs: header.readDoubleLE(12) }, end };
}

function checksum(fd: number, offset: number, sizeBytes: number, seed: number): number | undefined {
  let sum = seed;
  for (let done = 0; done < sizeBytes; done += SCAN_BYTES) {
    const piece = readAt(fd, offset + done, Math.min(SCAN_BYTES, sizeBytes - done));
    if (!piece) return undefined;
    sum = crc32(piece, sum);
  }
  return sum;
}

function readAt(fd: number, at: number, sizeBytes: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  return readSync(fd, bytes, 0, sizeBytes, at) === sizeBytes ? bytes : undefined;
}

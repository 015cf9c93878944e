import type { KeyObject } from 'node:crypto';
import { decrypt, encrypt, TAG_BYTES } from '#backups/format/aead.ts';
import { ID_BYTES, type Secrets } from '#backups/format/secrets.ts';
import { FORMAT_VERSION, PACK_MAGIC, refuseNewer } from '#backups/format/version.ts';
import { OpsError } from '#core/errors.ts';

export const PACK_SALT_BYTES = 16;
export const PACK_HEAD_BYTES: number = 4 + PACK_SALT_BYTES;
/** Bytes of a chunk's entry in a pack's list and in the index. */
export const ENTRY_BYTES: number = ID_BYTES + 9;
const LENGTH_BYTES = 4;
/** The nonce of the list: no pack has that many chunks. */
const LIST_NONCE = 0xffff_ffff;

/** A chunk in a pack. Sizes in bytes; `storedBytes` with its tag. */
export interface PackedChunk {
  readonly id: Uint8Array;
  readonly isCompressed: boolean;
  readonly storedBytes: number;
  readonly sizeBytes: number;
}

/** A pack's list of chunks, in their order in it. */
export interface PackList {
  readonly packId: string;
  readonly salt: Uint8Array;
  readonly chunks: readonly PackedChunk[];
}

/** Magic, version and salt: how a pack begins. */
export function packHead(salt: Uint8Array): Buffer {
  return Buffer.concat([PACK_MAGIC, Buffer.of(FORMAT_VERSION), salt]);
}

/** The salt of a pack's head; `input` or `conflict` where it is none. */
export function readPackHead(name: string, head: Uint8Array): Uint8Array {
  if (head.length < PACK_HEAD_BYTES || !PACK_MAGIC.equals(head.subarray(0, 3))) throw new OpsError('input', `${name} is no pack`);
  refuseNewer(name, head[3]);
  return head.subarray(4, PACK_HEAD_BYTES);
}

/** Seals a chunk as the `number`-th of its pack; its id is authenticated with it. */
export function sealChunk(key: KeyObject, number: number, stored: Uint8Array, id: Uint8Array): [Uint8Array, Uint8Array] {
  return encrypt(key, number, stored, id);
}

/** How a pack ends: its list, sealed, and the length of that. */
export function packTail(key: KeyObject, packId: string, chunks: readonly PackedChunk[]): Uint8Array {
  const [sealed, tag] = encrypt(key, LIST_NONCE, encodeChunks(chunks), Buffer.from(packId, 'hex'));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(sealed.length + TAG_BYTES);
  return Buffer.concat([sealed, tag, length]);
}

/** What a pack holds beside its chunks and their entries. */
export const PACK_OVERHEAD_BYTES: number = PACK_HEAD_BYTES + TAG_BYTES + LENGTH_BYTES;

/** The size of a whole pack. */
export function packBytes(chunks: readonly PackedChunk[]): number {
  const content = chunks.reduce((sum, chunk) => sum + chunk.storedBytes, 0);
  return PACK_OVERHEAD_BYTES + content + chunks.length * ENTRY_BYTES;
}

/** Reads a pack's list from its own bytes; `input` where it is damaged. */
export function readPackList(secrets: Secrets, packId: string, pack: Uint8Array): PackList {
  const name = `pack ${packId}`;
  const salt = readPackHead(name, pack);
  const key = secrets.keyFor('pack', salt);
  const end = pack.length - LENGTH_BYTES;
  if (end < PACK_HEAD_BYTES) throw new OpsError('input', `${name} is cut short`);
  const length = Buffer.from(pack.buffer, pack.byteOffset + end, LENGTH_BYTES).readUInt32LE();
  if (length > end - PACK_HEAD_BYTES) throw new OpsError('input', `${name} is cut short, or the length of its list is damaged`);
  const chunks = decodeChunks(decrypt(key, LIST_NONCE, pack.subarray(end - length, end), Buffer.from(packId, 'hex')));
  if (packBytes(chunks) !== pack.length) throw new OpsError('input', `${name} has not the size that its list tells`);
  return { packId, salt, chunks };
}

/** Entries of 41 bytes: id, 1 where compressed, stored size, plain size (u32 little-endian). */
export function encodeChunks(chunks: readonly PackedChunk[]): Buffer {
  const bytes = Buffer.alloc(chunks.length * ENTRY_BYTES);
  chunks.forEach((chunk, number) => {
    const at = number * ENTRY_BYTES;
    bytes.set(chunk.id, at);
    bytes.writeUInt8(chunk.isCompressed ? 1 : 0, at + ID_BYTES);
    bytes.writeUInt32LE(chunk.storedBytes, at + ID_BYTES + 1);
    bytes.writeUInt32LE(chunk.sizeBytes, at + ID_BYTES + 5);
  });
  return bytes;
}

/** What `encodeChunks` was given. */
export function decodeChunks(encoded: Uint8Array): PackedChunk[] {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
  if (bytes.length % ENTRY_BYTES !== 0) throw new OpsError('input', 'a list of chunks has a part of an entry');
  return Array.from({ length: bytes.length / ENTRY_BYTES }, (_, number) => {
    const at = number * ENTRY_BYTES;
    return {
      id: bytes.subarray(at, at + ID_BYTES),
      isCompressed: bytes[at + ID_BYTES] === 1,
      storedBytes: bytes.readUInt32LE(at + ID_BYTES + 1),
      sizeBytes: bytes.readUInt32LE(at + ID_BYTES + 5),
    };
  });
}

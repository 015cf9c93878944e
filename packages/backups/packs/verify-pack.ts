import type { KeyObject } from 'node:crypto';
import { decrypt } from '#backups/format/aead.ts';
import { packKey } from '#backups/format/layout.ts';
import { decompress } from '#backups/format/zstd.ts';
import type { Repository } from '#backups/repository/repository.ts';
import { isOpsError } from '#core/errors.ts';
import { encodeChunks, PACK_HEAD_BYTES, type PackedChunk, type PackList, readPackHead, readPackList } from './pack-format.ts';

/** What is wrong with a pack. */
export interface PackProblem {
  readonly message: string;
  /** The chunk that is damaged; absent where it is the pack as a whole. */
  readonly chunk?: PackedChunk | undefined;
}

export interface VerifiedPack {
  readonly problems: readonly PackProblem[];
  /** What the pack's own list says, if that can be read. */
  readonly ownList?: PackList | undefined;
}

/** Takes a chunk whose content is what its id says. */
export type OnSound = (chunk: PackedChunk, content: Uint8Array) => Promise<void>;

/** Reads a whole pack and verifies every byte of it: head, chunks by seal and id, its own list, and that the index agrees. */
export async function verifyPack(repository: Repository, packId: string, listed?: PackList, onSound?: OnSound): Promise<VerifiedPack> {
  const bytes = await repository.blobs.get(packKey(packId));
  const problems: PackProblem[] = [];
  const ownList = readOwn(repository, packId, bytes, problems);
  const list = listed ?? ownList;
  if (!list) return { problems };
  if (listed && ownList && !agree(listed, ownList)) problems.push({ message: `pack ${packId} lists other chunks than the index` });
  const key = repository.secrets.keyFor('pack', list.salt);
  let offset = PACK_HEAD_BYTES;
  for (const [number, chunk] of list.chunks.entries()) {
    const content = await openChunk(repository, key, number, chunk, bytes.subarray(offset, offset + chunk.storedBytes));
    if (typeof content !== 'string') await onSound?.(chunk, content);
    else problems.push({ chunk, message: `chunk ${Buffer.from(chunk.id).toString('hex')} in pack ${packId} is damaged: ${content}` });
    offset += chunk.storedBytes;
  }
  return { problems, ownList };
}

/** The content, or what is wrong with it. */
async function openChunk(
  { secrets }: Repository,
  key: KeyObject,
  number: number,
  { id, isCompressed, sizeBytes }: PackedChunk,
  sealed: Uint8Array,
): Promise<Uint8Array | string> {
  try {
    const stored = decrypt(key, number, sealed, id);
    const content = isCompressed ? await decompress(stored, sizeBytes) : stored;
    return Buffer.compare(secrets.idOf(content), id) === 0 ? content : 'its content is not what its id says';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function readOwn(repository: Repository, packId: string, bytes: Uint8Array, problems: PackProblem[]): PackList | undefined {
  try {
    readPackHead(`pack ${packId}`, bytes);
    return readPackList(repository.secrets, packId, bytes);
  } catch (error) {
    if (!isOpsError(error)) throw error;
    problems.push({ message: `pack ${packId} is damaged: ${error.message}` });
    return undefined;
  }
}

function agree(a: PackList, b: PackList): boolean {
  return Buffer.compare(a.salt, b.salt) === 0 && Buffer.compare(encodeChunks(a.chunks), encodeChunks(b.chunks)) === 0;
}

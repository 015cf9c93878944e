import { OpsError } from '#core/errors.ts';
import type { Json } from '#model/json.ts';
import type { BackupSource, SourceGuarantee, SourceItem } from '#ports/backup-source.ts';

/** A thing of a source in memory. */
export interface MemoryThing {
  readonly kind?: string | undefined;
  /** Default: a hash of nothing; things without one are read each time. */
  readonly stamp?: string | undefined;
  readonly meta?: { readonly [name: string]: Json } | undefined;
  readonly content?: Uint8Array | undefined;
  /** Reading its content fails with this. */
  readonly failure?: OpsError | undefined;
}

export interface MemorySourceOptions {
  readonly type?: string | undefined;
  readonly name?: string | undefined;
  readonly guarantee?: SourceGuarantee | undefined;
  /** How large the pieces are in which content comes. */
  readonly pieceBytes?: number | undefined;
  /** Called before each item is listed and before its content is opened: what changes things under a backup. */
  readonly onList?: ((path: string) => void) | undefined;
  readonly onOpen?: ((path: string, offset: number) => void) | undefined;
}

const FUZZY: SourceGuarantee = {
  consistency: 'fuzzy',
  at: '2026-01-01T00:00:00.000Z',
  sentence: 'Each thing is as it was when it was read.',
};

/** A source over a map of things by path, which may change while it is read. */
export function createMemorySource(things: ReadonlyMap<string, MemoryThing>, options: MemorySourceOptions = {}): BackupSource {
  const { type = 'memory', name = 'memory:', guarantee = FUZZY, pieceBytes = 65_536, onList, onOpen } = options;
  return {
    type,
    name,
    async *list({ after }) {
      const paths = [...things.keys()].sort(compareBytes);
      for (const path of paths) {
        if (after !== undefined && compareBytes(path, after) <= 0) continue;
        onList?.(path);
        const thing = things.get(path);
        if (thing) yield itemOf(path, thing);
      }
    },
    guarantee: async () => guarantee,
    close: async () => undefined,
  };

  function itemOf(path: string, thing: MemoryThing): SourceItem {
    const { kind = thing.content ? 'file' : 'dir', stamp, meta = {} } = thing;
    const open = (offset: number) => {
      onOpen?.(path, offset);
      return readPieces(things.get(path), offset, pieceBytes);
    };
    return { path, kind, meta, cursor: path, ...(stamp === undefined ? {} : { stamp }), ...(thing.content ? { open } : {}) };
  }
}

async function* readPieces(thing: MemoryThing | undefined, offset: number, pieceBytes: number): AsyncGenerator<Uint8Array> {
  if (!thing?.content) throw new OpsError('missing', 'it is gone');
  for (let at = offset; at < thing.content.length; at += pieceBytes) yield thing.content.slice(at, at + pieceBytes);
  if (thing.failure) throw thing.failure;
}

/** The order of paths' bytes; the lone surrogates U+DC80 to U+DCFF are bytes themselves. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(bytesOf(a), bytesOf(b));
}

function bytesOf(path: string): Buffer {
  const parts = [...path].map((character) => {
    const code = character.charCodeAt(0);
    return character.length === 1 && code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character);
  });
  return Buffer.concat(parts);
}

import type { OpsError } from '#core/errors.ts';
import type { BackupTarget, RestoredItem } from '#ports/backup-target.ts';

/** What a restore has written. */
export type RestoredThing = Omit<RestoredItem, 'path' | 'content'> & { readonly content?: Uint8Array | undefined };

/** A target in memory, with a look inside. */
export interface MemoryTarget extends BackupTarget {
  readonly restored: ReadonlyMap<string, RestoredThing>;
}

export interface MemoryTargetOptions {
  /** Called before each write; what it throws the write fails with. */
  readonly onWrite?: ((path: string) => OpsError | undefined) | undefined;
  /** What is there already, and is written to. */
  readonly into?: Map<string, RestoredThing> | undefined;
}

/** Makes a target that keeps what it is given; what is there with the same kind, size and meta is kept. */
export function createMemoryTarget(options: MemoryTargetOptions = {}): MemoryTarget {
  const restored = options.into ?? new Map<string, RestoredThing>();
  return {
    type: 'memory',
    name: 'memory:',
    restored,
    plan: async ({ path, kind, meta, sizeBytes }) => {
      const there = restored.get(path);
      if (!there) return 'create';
      const isSame = there.kind === kind && there.sizeBytes === sizeBytes && JSON.stringify(there.meta) === JSON.stringify(meta);
      return isSame ? 'keep' : 'replace';
    },
    write: async ({ path, kind, meta, sizeBytes, content }) => {
      const failure = options.onWrite?.(path);
      if (failure) throw failure;
      const bytes = content && (await gather(content));
      restored.set(path, { kind, meta, sizeBytes, ...(bytes ? { content: bytes } : {}) });
    },
    finish: async () => [],
  };
}

async function gather(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

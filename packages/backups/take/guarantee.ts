import { type Content, isSameContent } from '#backups/entries/chunk-refs.ts';
import type { BackupKind, Snapshot } from '#backups/repository/snapshots.ts';
import type { BackupSource } from '#ports/backup-source.ts';

/** Passes that a backup of kind `snapshot` tries until one finds nothing changed. */
const MAX_PASSES = 4;

export interface EndedPass {
  readonly kind: BackupKind;
  readonly pass: number;
  readonly passStartedAt: string;
  readonly startedAt: string;
  /** What this pass found, and what the one before it did. */
  readonly root: Content;
  readonly previous?: Content | undefined;
  readonly movedPaths: readonly string[];
}

/**
 * What may be relied on after a pass; undefined where another pass is to try for a moment. A pass that finds everything as the one before it
 * left it proves a moment: each thing stayed as it was from its reading in that pass to its look in this one, so that all were so together
 * when this one began.
 */
export async function settleGuarantee(source: BackupSource, ended: EndedPass): Promise<Snapshot['guarantee'] | undefined> {
  const own = await source.guarantee();
  if (own.consistency === 'moment') return { ...own };
  if (ended.kind !== 'snapshot') return { ...own, at: ended.startedAt };
  if (ended.previous && isSameContent(ended.root, ended.previous)) {
    return {
      consistency: 'moment',
      at: ended.passStartedAt,
      sentence: `Pass ${ended.pass} found everything as the one before it had left it, so all of it was so when that pass began, as far as stamps tell.`,
    };
  }
  if (ended.pass < MAX_PASSES) return undefined;
  return {
    consistency: 'fuzzy',
    at: ended.startedAt,
    sentence: `Each of ${MAX_PASSES} passes found something changed by the one before it; each thing is as it was when it was read.`,
    paths: [...ended.movedPaths],
  };
}

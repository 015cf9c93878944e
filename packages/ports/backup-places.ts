import type { BackupSource } from './backup-source.ts';
import type { BackupTarget } from './backup-target.ts';
import type { Blobs } from './blobs.ts';
import type { ChangeLog, Seal } from './change-log.ts';
import type { Retention } from './object-lock.ts';

/** Where a repository lies. */
export interface RepositoryStore {
  readonly blobs: Blobs;
  /** Where the store has Object Lock. */
  readonly retention?: Retention | undefined;
}

export interface SourceOptions {
  /** Patterns of what is left out, as in a .gitignore; for folders. */
  readonly exclude?: readonly string[] | undefined;
  readonly oneFileSystem?: boolean | undefined;
  /** A consistent moment is asked for, at what that costs. */
  readonly moment?: boolean | undefined;
  /** Places that the backup is written to, and that are no part of it. */
  readonly apartFrom?: readonly string[] | undefined;
}

export interface TargetOptions {
  /** What is there already may be replaced. */
  readonly overwrite?: boolean | undefined;
}

/** A place beside, where a drill restores to. */
export interface Scratch {
  /** Where it is, in words that a check can use. */
  readonly name: string;
  readonly target: BackupTarget;
  /** Reads back what was restored. */
  openSource(): Promise<BackupSource>;
  /** Asks the samples of a Quarterdeck that was restored, as of an instant: the values of a scalar or an instant vector. */
  readonly query?: ((tenant: string, expr: string, atMs: number) => Promise<readonly number[]>) | undefined;
  /** Lets go of what is open, and leaves what was restored; it can still be used and removed. */
  close?(): Promise<void>;
  /** Removes all of it; what is not there is removed. */
  remove(): Promise<void>;
}

/**
 * Places of backups by their names: a folder, `s3://bucket/prefix`, `dynamodb:TABLE`, `quarterdeck:`. `input` for a name that is none, and for
 * what cannot be had where this runs (a folder on Lambda).
 */
export interface BackupPlaces {
  /** `create`: it may be made where it is not there; else that is `missing`. */
  openStore(repository: string, options?: { readonly create?: boolean | undefined }): Promise<RepositoryStore>;
  openSource(name: string, options: SourceOptions): Promise<BackupSource>;
  openTarget(name: string, options: TargetOptions): Promise<BackupTarget>;
  /** True where nothing would be replaced: there is nothing there, or nothing in it. */
  isEmpty(name: string): Promise<boolean>;
  /** A place beside for what a source of that name gave; the same for the same id. */
  openScratch(source: string, id: string): Promise<Scratch>;
  /** The log of a source's changes in a repository's store; `input` for a source that has none. */
  openChangeLog(source: string, store: { readonly blobs: Blobs; readonly seal: Seal }): Promise<ChangeLog>;
}

import type { Json } from '#model/json.ts';

/**
 * One thing of a source: a file, a directory, an object, a table's description, a part of a table's items.
 * Paths are `/`-separated, relative, without empty, `.` or `..` segments. Bytes of names that are no UTF-8 are the lone surrogates
 * U+DC80 to U+DCFF, as Python's surrogateescape has them.
 */
export interface SourceItem {
  readonly path: string;
  /** What it is, in the source's terms: `file`, `dir`, `symlink`, `hardlink`, `object`, `table`, `items`... */
  readonly kind: string;
  /** Changes whenever the content may have: size, times, inode; version id; undefined where nothing tells, and it is read each time. */
  readonly stamp?: string | undefined;
  /** Everything about it but its content: mode, times, owner, links, extended attributes, metadata, tags, schema. */
  readonly meta: { readonly [name: string]: Json };
  /** Its bytes from `offset` on, in pieces of any size; absent for what has none. A piece is never touched again once it is yielded. */
  readonly open?: ((offset: number) => AsyncIterable<Uint8Array>) | undefined;
  /** Where to go on after this item. */
  readonly cursor: string;
}

/** What could not be read: told, kept in the manifest, and no reason to stop. */
export interface SourceFault {
  readonly path: string;
  readonly message: string;
}

/** What a pass over a source says of itself once it has ended. */
export interface SourceGuarantee {
  /** `moment`: as it was at one instant. `fuzzy`: each thing as it was when it was read. */
  readonly consistency: 'moment' | 'fuzzy';
  /** The instant, or when the pass began. ISO time. */
  readonly at: string;
  /** One sentence: what a reader may rely on, and why. */
  readonly sentence: string;
}

/**
 * What is backed up. `list` gives items by path in the order of their UTF-8 bytes (a directory therefore before what is in it), from after
 * the cursor on; what fails for one item only goes to `onFault`. Errors: `missing` (there is no such source), `denied`, `unavailable`.
 */
export interface BackupSource {
  /** `files`, `dynamodb`, `s3`, `quarterdeck`. */
  readonly type: string;
  /** As the user wrote it: `/srv/data`, `dynamodb:orders`, `s3://bucket/prefix`, `quarterdeck:`. */
  readonly name: string;
  list(options: { readonly after?: string | undefined; readonly onFault: (fault: SourceFault) => void }): AsyncIterable<SourceItem>;
  /** After `list` has ended: what the pass can be relied on for. */
  guarantee(): Promise<SourceGuarantee>;
  /** Lets go of what was held for the moment: an export, a snapshot of a database. */
  close(): Promise<void>;
}

/** What an attribute can hold. Numbers are finite. Attributes that are `undefined` are left out. */
export type Attribute = string | number | boolean | Uint8Array | readonly string[] | readonly number[];

export interface ItemKey {
  /** Partition key, 1 to 1,024 bytes. */
  readonly pk: string;
  /** Sort key, 1 to 1,024 bytes, ordered by UTF-8 bytes. */
  readonly sk: string;
}

/** One record, at most 400 KB in DynamoDB's count (`input` past that). `expiresAtS`, in seconds, lets the table drop it some time later. */
export type Item = ItemKey & { readonly expiresAtS?: number | undefined } & { readonly [name: string]: Attribute | undefined };

/**
 * What must hold of the item at the key when the write takes place; every clause given must hold.
 * `exists: false` holds only where there is no item. `equals` compares attributes (`null`: the attribute is absent),
 * `atMost` and `atLeast` compare numbers or strings (an absent attribute fails).
 */
export interface Condition {
  readonly exists?: boolean | undefined;
  readonly equals?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  readonly atMost?: Readonly<Record<string, string | number>> | undefined;
  readonly atLeast?: Readonly<Record<string, string | number>> | undefined;
}

/** `set` writes, `add` adds to a number (absent counts as 0), `remove` drops. An update of an absent item creates it. */
export interface Changes {
  readonly set?: Readonly<Record<string, Attribute>> | undefined;
  readonly add?: Readonly<Record<string, number>> | undefined;
  readonly remove?: readonly string[] | undefined;
}

export type Write =
  | { readonly kind: 'put'; readonly item: Item; readonly condition?: Condition | undefined }
  | { readonly kind: 'update'; readonly key: ItemKey; readonly changes: Changes; readonly condition?: Condition | undefined }
  | { readonly kind: 'delete'; readonly key: ItemKey; readonly condition?: Condition | undefined }
  | { readonly kind: 'check'; readonly key: ItemKey; readonly condition: Condition };

export interface QueryInput {
  readonly pk: string;
  /** Sort keys from this one on (inclusive). */
  readonly from?: string | undefined;
  /** Sort keys up to this one (exclusive). */
  readonly to?: string | undefined;
  /** Items a page; a page may be shorter (1 MB), even empty, while `next` is given. */
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
  /** Greatest sort key first. */
  readonly reverse?: boolean | undefined;
}

export interface QueryPage {
  readonly items: readonly Item[];
  readonly next?: string | undefined;
}

/**
 * Every mutable fact: DynamoDB, or SQLite. Reads are strongly consistent. A write whose condition fails is `conflict`
 * and changes nothing. Every method may fail with `unavailable` (retryable: it may or may not have taken effect, so a
 * repeated conditional write can meet its own first success). Durable when it resolves.
 */
export interface Table {
  get(key: ItemKey): Promise<Item | undefined>;
  put(item: Item, condition?: Condition): Promise<void>;
  /** The item as it is after the update. */
  update(key: ItemKey, changes: Changes, condition?: Condition): Promise<Item>;
  delete(key: ItemKey, condition?: Condition): Promise<void>;
  query(input: QueryInput): Promise<QueryPage>;
  /** 1 to 100 writes on distinct keys (`input` otherwise), at most 4 MB, all or none. `conflict` if any condition fails. */
  transact(writes: readonly Write[]): Promise<void>;
  /** Unconditional puts and deletes in any number, in no order, each by itself; what the store leaves undone is tried again, then `unavailable`. */
  batch(writes: readonly (Extract<Write, { kind: 'put' }> | Extract<Write, { kind: 'delete' }>)[]): Promise<void>;
}

/**
 * Until when objects may not be deleted (S3 Object Lock), in ms since the epoch by the store's clock; undefined where nothing holds the
 * object. Deletions before that fail with `denied`. `extend` only ever moves it further away.
 */
export interface Retention {
  retainUntilMs(key: string): Promise<number | undefined>;
  extend(key: string, untilMs: number): Promise<void>;
}

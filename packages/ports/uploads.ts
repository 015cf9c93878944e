/** A form POST that a client may send without further credentials. */
export interface UploadTicket {
  readonly url: string;
  /** Form fields to send before the file, in this order; the file's own field is called `file` and comes last. */
  readonly fields: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

/** Lets a client put one object of bounded size straight into blobs, past the limits of a request. */
export interface Uploads {
  /** A ticket for exactly this key; a body over `maxBytes` is refused by the store. */
  presign(input: { key: string; maxBytes: number; expiresInMs: number }): Promise<UploadTicket>;
}

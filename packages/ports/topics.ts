/** Static credentials and place of a topic; what is absent is that of the running role. */
export interface TopicAccess {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** One message to a topic, an endpoint or a telephone: exactly one of the three targets is set. */
export interface TopicMessage {
  readonly topicArn?: string | undefined;
  readonly targetArn?: string | undefined;
  readonly phoneNumber?: string | undefined;
  /** Up to 100 characters of ASCII without line breaks; empty: none. */
  readonly subject: string;
  /** At most 256 KB of UTF-8, its attributes included. */
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of a FIFO topic, whose name ends in `.fifo`; absent on others. */
  readonly fifo?: { readonly groupId: string; readonly deduplicationId: string } | undefined;
  readonly access: TopicAccess;
}

/** SNS. `unavailable`: may be published again, and may have been; a FIFO topic takes the same deduplication id once in five minutes. */
export interface Topics {
  publish(message: TopicMessage): Promise<void>;
}

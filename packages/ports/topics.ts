import type { AwsAccess } from './aws-access.ts';

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
  readonly access: AwsAccess;
}

/** SNS. `unavailable`: may be published again, and may have been; a FIFO topic takes the same deduplication id once in five minutes. */
export interface Topics {
  publish(message: TopicMessage): Promise<void>;
}

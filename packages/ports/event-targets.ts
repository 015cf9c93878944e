import type { AwsAccess } from './aws-access.ts';
import type { BusEvent } from './bus.ts';

/** One event for a bus that a receiver names; our own goes by the port Bus. */
export interface TargetedEvent {
  /** Name or ARN. */
  readonly busName: string;
  readonly event: BusEvent;
  readonly access: AwsAccess;
}

/** EventBridge. `unavailable`: may be sent again, and may have been; consumers know it again by `detail.id`. */
export interface EventTargets {
  publish(event: TargetedEvent): Promise<void>;
}

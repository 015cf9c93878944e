/** One fact that happened, as it travels. `detail` has been through the event's zod schema in model/. */
export interface BusEvent {
  /** `quarterdeck.<domain>`, or a foreign source such as `aws.s3`. */
  readonly source: string;
  /** Past-tense noun phrase: "Block Committed". */
  readonly detailType: string;
  /** At most 200 KB as JSON; always with `id`, `tenant`, `at` for our own events. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** EventBridge's exact match: every field named must equal one of its values; `detail` names top-level fields. */
export interface EventPattern {
  readonly source: readonly string[];
  readonly 'detail-type': readonly string[];
  readonly detail?: Readonly<Record<string, readonly (string | number | boolean | null)[]>> | undefined;
}

/**
 * EventBridge, or in process. At least once, in any order: consumers are idempotent by `detail.id`.
 */
export interface Bus {
  /** Sends all; entries that the bus refuses are sent again, then the call fails with `unavailable`. Some may have been sent all the same. */
  publish(events: readonly BusEvent[]): Promise<void>;
}

/** True if the event is what the pattern asks for. */
export function matchesPattern(pattern: EventPattern, event: BusEvent): boolean {
  if (!pattern.source.includes(event.source) || !pattern['detail-type'].includes(event.detailType)) return false;
  return Object.entries(pattern.detail ?? {}).every(([field, values]) =>
    values.includes((event.detail[field] ?? null) as string | number | boolean | null),
  );
}

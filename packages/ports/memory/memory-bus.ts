import { type Bus, type BusEvent, type EventPattern, matchesPattern } from '#ports/bus.ts';
import { serializeDetail } from '#ports/event-size.ts';
import { inTurn, type MemoryOptions } from './memory-options.ts';

/** A bus in memory, with an ear on it for tests. */
export interface MemoryBus extends Bus {
  /** Every event published so far, in order. */
  readonly published: readonly BusEvent[];
  /** Hands every matching event from now on to the handler, after `publish` has resolved; `settle` tells what the handlers threw. */
  subscribe(pattern: EventPattern, handle: (event: BusEvent) => Promise<void>): void;
  /** Resolves when all handlers, and those of the events that they published, are done; throws the first error of one. */
  settle(): Promise<void>;
}

/** Makes a bus that lives in memory. It delivers each event once and does not retry. */
export function createMemoryBus(options: MemoryOptions = {}): MemoryBus {
  const published: BusEvent[] = [];
  const rules: { pattern: EventPattern; handle: (event: BusEvent) => Promise<void> }[] = [];
  let running: Promise<unknown>[] = [];

  const deliver = (event: BusEvent) => {
    for (const { pattern, handle } of rules) {
      if (matchesPattern(pattern, event)) running.push(Promise.resolve().then(() => handle(event)));
    }
  };

  return {
    published,
    async publish(events) {
      const copies = events.map((event): BusEvent => ({ ...event, detail: JSON.parse(serializeDetail(event)) }));
      await inTurn(options, () => {
        published.push(...copies);
        copies.forEach(deliver);
      });
    },
    subscribe: (pattern, handle) => void rules.push({ pattern, handle }),
    async settle() {
      while (running.length > 0) {
        const batch = running;
        running = [];
        const outcomes = await Promise.allSettled(batch);
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      }
    },
  };
}

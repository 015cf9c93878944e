import { type Bus, type BusEvent, type EventPattern, matchesPattern } from '#ports/bus.ts';
import { serializeDetail } from '#ports/event-size.ts';
import type { ItemKey, Table } from '#ports/table.ts';
import { createPauses, type Timers } from './timers.ts';

/** What wants to hear of events: the same patterns as on AWS. */
export interface BusRule {
  /** Unique, and the same after a restart. */
  readonly name: string;
  readonly pattern: EventPattern;
  /** Fails to have the event again. */
  readonly handle: (event: BusEvent) => Promise<void>;
}

/** A delivery that has been given up. */
export interface DeadLetter {
  readonly rule: string;
  readonly event: BusEvent;
  readonly error: string;
}

export interface LocalBusDeps {
  /** Where deliveries wait, so that the end of the process loses none. */
  readonly table: Table;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
  /** Takes what has been given up; where it fails, the delivery is tried again after the next start. */
  readonly onDeadLetter: (letter: DeadLetter) => Promise<void>;
  /** Tries of one delivery, the first included. Default 5, a second apart at first and ever further, a minute at most. */
  readonly attempts?: number | undefined;
  /** Handlers that run at once. Default 8. */
  readonly concurrency?: number | undefined;
}

/** The bus of one process. */
export interface LocalBus extends Bus {
  /** From now on. */
  subscribe(rule: BusRule): void;
  /** Takes up the deliveries that an earlier process left, once its rules are subscribed. */
  resume(): Promise<void>;
  /** Resolves when nothing is left to deliver. */
  idle(): Promise<void>;
  /** Ends the waiting between tries and resolves when no handler runs any more; what is left waits for the next start. */
  stop(): Promise<void>;
}

interface Delivery {
  readonly id: string;
  readonly rule: string;
  readonly event: BusEvent;
}

const PARTITION = 'local/bus';
const BASE_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

/**
 * Delivers each published event to the handler of each rule that matches, at least once, in no order. Durable when `publish`
 * resolves: a delivery is an item in the table until its handler has succeeded or it has been given up.
 */
// One long function, because what it is made of shares the state at its top.
export function createLocalBus(deps: LocalBusDeps): LocalBus {
  const rules = new Map<string, BusRule>();
  const waiting: Delivery[] = [];
  const known = new Set<string>();
  const pauses = createPauses(deps.timers);
  let idlers: (() => void)[] = [];
  let running = 0;
  let stopped = false;

  const enqueue = (deliveries: readonly Delivery[]) => {
    for (const delivery of deliveries) {
      if (known.has(delivery.id)) continue;
      known.add(delivery.id);
      waiting.push(delivery);
    }
    while (!stopped && waiting.length > 0 && running < (deps.concurrency ?? 8)) void work();
  };

  const work = async () => {
    running++;
    for (let next = waiting.shift(); next; next = stopped ? undefined : waiting.shift()) {
      await deliver(next).catch(() => undefined);
      known.delete(next.id);
    }
    running--;
    if (running > 0) return;
    for (const idler of idlers) idler();
    idlers = [];
  };

  const deliver = async (delivery: Delivery) => {
    const error = await tryOften(delivery);
    if (error === 'stopped') return;
    if (error !== undefined) await deps.onDeadLetter({ rule: delivery.rule, event: delivery.event, error });
    await deps.table.delete(keyOf(delivery));
  };

  /** Undefined once the handler succeeds, else the last error's message. */
  const tryOften = async ({ rule, event }: Delivery): Promise<string | undefined> => {
    const handle = rules.get(rule)?.handle;
    if (!handle) return `there is no rule ${rule} any more`;
    for (let attempt = 1; ; attempt++) {
      try {
        await handle(event);
        return undefined;
      } catch (error) {
        if (attempt >= (deps.attempts ?? 5)) return String(error);
        const ceilingMs = Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** (attempt - 1));
        if (!(await pauses.pause(ceilingMs * (0.5 + deps.random() / 2)))) return 'stopped';
      }
    }
  };

  const idle = () => (running === 0 ? Promise.resolve() : new Promise<void>((resolve) => idlers.push(resolve)));

  return {
    async publish(events) {
      const copies = events.map((event): BusEvent => ({ ...event, detail: JSON.parse(serializeDetail(event)) }));
      const deliveries = copies.flatMap((event) => matching(rules, event).map((rule) => ({ id: deps.newId(), rule, event })));
      await deps.table.batch(deliveries.map((delivery) => ({ kind: 'put', item: itemOf(delivery) })));
      enqueue(deliveries);
    },
    subscribe: (rule) => void rules.set(rule.name, rule),
    resume: async () => enqueue(await readLeft(deps.table)),
    idle,
    async stop() {
      stopped = true;
      pauses.end();
      await idle();
    },
  };
}

function matching(rules: ReadonlyMap<string, BusRule>, event: BusEvent): string[] {
  return [...rules.values()].filter((rule) => matchesPattern(rule.pattern, event)).map((rule) => rule.name);
}

function keyOf({ id }: Delivery): ItemKey {
  return { pk: PARTITION, sk: id };
}

function itemOf(delivery: Delivery) {
  return { ...keyOf(delivery), rule: delivery.rule, event: JSON.stringify(delivery.event) };
}

async function readLeft(table: Table): Promise<Delivery[]> {
  const left: Delivery[] = [];
  for (let after: string | undefined; ; ) {
    const page = await table.query({ pk: PARTITION, after });
    left.push(
      ...page.items.map((item) => ({ id: item.sk, rule: item.rule as string, event: JSON.parse(item.event as string) as BusEvent })),
    );
    if (page.next === undefined) return left;
    after = page.next;
  }
}

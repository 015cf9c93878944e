import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus, BusEvent } from '#ports/bus.ts';

/** A bus for one run of the suite, with an ear on it. */
export interface BusUnderTest {
  readonly port: Bus;
  /** Everything that has come out of the bus so far, for a rule that matches every source that begins with `quarterdeck.`. */
  received(): Promise<readonly BusEvent[]>;
  /** Makes the bus refuse some entries of the next call once (PutEvents' FailedEntryCount), where a test can bring that about. */
  readonly refuseSome?: (() => void) | undefined;
  /** Makes the bus refuse one entry of every call until called with false, where a test can bring that about. */
  readonly refuseAlways?: ((on: boolean) => void) | undefined;
  close(): Promise<void>;
}

const SLOW_MS = 60_000;

function eventOf(detail: Record<string, unknown>): BusEvent {
  return {
    source: 'quarterdeck.contract',
    detailType: 'Contract Checked',
    detail: { id: randomUUID(), tenant: 'contract', at: '2026-11-23T10:00:00.000Z', ...detail },
  };
}

/** What every implementation of Bus must do. */
export function busContract(name: string, make: () => Promise<BusUnderTest>): void {
  describe(`bus: ${name}`, () => {
    let store: BusUnderTest;
    beforeAll(async () => {
      store = await make();
    });
    afterAll(async () => store?.close());

    /** Waits until every event has come out at least once, and gives what came out for them. */
    async function arrived(events: readonly BusEvent[]): Promise<Map<unknown, BusEvent>> {
      const wanted = new Set(events.map((event) => event.detail.id));
      for (let attempt = 0; ; attempt++) {
        const found = new Map((await store.received()).map((event) => [event.detail.id, event] as const).filter(([id]) => wanted.has(id)));
        if (found.size === wanted.size || attempt === 200) return found;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    }

    it('delivers an event as it was published', async () => {
      const event = eventOf({ text: 'a\n"\u00e4 \u{1f600}', number: 1.5, yes: true, none: null, list: [1, 'a'], deep: { a: { b: [] } } });
      await store.port.publish([event]);
      expect((await arrived([event])).get(event.detail.id)).toStrictEqual(event);
    });

    it('takes no events at all', async () => {
      await store.port.publish([]);
    });

    it(
      'delivers each of 57 events published in one call',
      async () => {
        const events = Array.from({ length: 57 }, (_, i) => eventOf({ i }));
        await store.port.publish(events);
        const found = await arrived(events);
        for (const event of events) expect(found.get(event.detail.id)).toStrictEqual(event);
      },
      SLOW_MS,
    );

    it(
      'delivers 12 events of nearly 200 KB published in one call',
      async () => {
        const events = Array.from({ length: 12 }, (_, i) => eventOf({ i, body: 'x'.repeat(199_000) }));
        await store.port.publish(events);
        expect((await arrived(events)).size).toBe(12);
      },
      SLOW_MS,
    );

    it.each([
      ['of characters of one byte', 'x'.repeat(210_000)],
      ['of characters of three bytes', '\u20ac'.repeat(70_000)],
      ['of characters that JSON escapes', '"'.repeat(110_000)],
    ])('refuses an event of over 200 KB %s, and sends none of its call', async (_case, body) => {
      const small = eventOf({});
      await expect(store.port.publish([small, eventOf({ body })])).rejects.toMatchObject({ kind: 'input' });
      expect((await store.received()).some((event) => event.detail.id === small.detail.id)).toBe(false);
    });

    it(
      'sends again what the bus refuses once',
      async () => {
        const events = Array.from({ length: 10 }, (_, i) => eventOf({ i }));
        store.refuseSome?.();
        await store.port.publish(events);
        expect((await arrived(events)).size).toBe(10);
      },
      SLOW_MS,
    );

    it(
      'fails with unavailable when the bus goes on refusing',
      async () => {
        if (!store.refuseAlways) return;
        store.refuseAlways(true);
        await expect(store.port.publish([eventOf({}), eventOf({})])).rejects.toMatchObject({ kind: 'unavailable' });
        store.refuseAlways(false);
        await store.port.publish([eventOf({})]);
      },
      SLOW_MS,
    );

    it(
      'takes concurrent calls',
      async () => {
        const events = Array.from({ length: 40 }, (_, i) => eventOf({ i }));
        await Promise.all(events.map((event) => store.port.publish([event])));
        expect((await arrived(events)).size).toBe(40);
      },
      SLOW_MS,
    );
  });
}

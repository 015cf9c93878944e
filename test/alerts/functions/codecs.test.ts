import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePlanned, encodePlanned } from '#alerts/deliver/delivery-batch.ts';
import { type AlertBook, decodeBook, encodeBook } from '#alerts/dispatch/book.ts';
import { decodeAlerts, encodeAlerts } from '#alerts/dispatch/inbox.ts';
import type { PlannedDelivery } from '#alerts/dispatch/plan-dispatch.ts';
import { dropPacked, isLost, packBytes, packedIn, packJson, unpackBytes } from '#alerts/packed-bytes.ts';
import type { ReceivedAlert } from '#alerts/routing/merge-alerts.ts';
import { isOpsError } from '#core/errors.ts';
import { createMemoryBlobs } from '#ports/memory/memory-blobs.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { readOnce } from '#ports/read-once.ts';

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('__proto__'));
const labels = fc.dictionary(text, text, { maxKeys: 4 });
const time = fc.integer({ min: 0, max: 4e12 });
const alert: fc.Arbitrary<ReceivedAlert> = fc.record(
  {
    labels,
    annotations: labels,
    startsAtMs: time,
    endsAtMs: fc.oneof(time, fc.constant(Number.POSITIVE_INFINITY)),
    updatedAtMs: time,
    generatorUrl: text,
    endIsTimeout: fc.boolean(),
  },
  { requiredKeys: ['labels', 'annotations', 'startsAtMs', 'endsAtMs', 'updatedAtMs', 'generatorUrl'] },
);
const entry = fc.record({ firing: fc.array(text), resolved: fc.array(text), sentAtMs: time });
const group = fc.record({
  ...{ key: text, routeId: text, receiver: text, labels, nextFlushMs: time },
  ...{ alerts: fc.array(text), told: fc.dictionary(text, entry, { maxKeys: 3 }) },
});
const book: fc.Arbitrary<AlertBook> = fc.record({
  configId: text,
  alerts: fc.array(fc.tuple(text, alert)).map((entries) => new Map(entries)),
  groups: fc.array(group, { maxLength: 4 }),
  taken: fc.array(text),
});
const planned: fc.Arbitrary<PlannedDelivery> = fc.record({
  ...{ receiver: text, integration: text, groupKey: text, groupLabels: labels, atMs: time },
  alerts: fc.array(alert.map((one) => ({ ...one, fingerprint: 'f' }))),
  reason: fc.constantFrom('first-notification' as const, 'all-alerts-resolved' as const),
});

const codecs: readonly {
  name: string;
  values: fc.Arbitrary<unknown>;
  encode: (value: never) => Uint8Array;
  decode: (bytes: Uint8Array) => unknown;
}[] = [
  { name: 'the book', values: book, encode: encodeBook, decode: decodeBook },
  { name: 'what was told of alerts', values: fc.array(alert), encode: encodeAlerts, decode: decodeAlerts },
  { name: 'deliveries', values: fc.array(planned), encode: encodePlanned, decode: decodePlanned },
];

describe('stored alerts', () => {
  it.each(codecs)('$name comes back as it was, infinite ends among it', ({ values, encode, decode }) => {
    void fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value as never))).toEqual(value);
      }),
      { numRuns: 60 },
    );
  });

  it.each(codecs)('$name cut short, changed in a byte, or of other content is unavailable and lost', ({ values, encode, decode }) => {
    const damage = fc.tuple(values, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean());
    void fc.assert(
      fc.property(damage, ([value, place, change, isCut]) => {
        const bytes = encode(value as never);
        const at = place % bytes.length;
        const broken = isCut ? bytes.subarray(0, at) : bytes.with(at, (bytes[at] as number) ^ change);
        const error = failureOf(() => decode(broken));
        // A byte of zstd's frame header may say the same in another way.
        if (error === undefined) expect(decode(broken)).toEqual(decode(bytes));
        else expect([isOpsError(error, 'unavailable'), isLost(error)]).toEqual([true, true]);
      }),
      { numRuns: 60 },
    );
    for (const other of [null, 7, {}])
      expect(
        isOpsError(
          failureOf(() => decode(packJson(other))),
          'unavailable',
        ),
      ).toBe(true);
  });

  it('a list of alerts that several are told of is in the bytes once', () => {
    const alerts = Array.from({ length: 500 }, (_, i) => ({
      ...{ labels: { alertname: 'A', instance: `i${(i * 7919) % 500}` }, annotations: {}, startsAtMs: i, endsAtMs: i, updatedAtMs: i },
      ...{ generatorUrl: '', fingerprint: String((i * 104729) % 99991) },
    }));
    const one: PlannedDelivery = {
      receiver: 'a',
      integration: 'x/0',
      groupKey: 'g',
      groupLabels: {},
      alerts,
      reason: 'first-notification',
      atMs: 0,
    };
    const many = Array.from({ length: 50 }, (_, i) => ({ ...one, receiver: `a${i}` }));
    expect(encodePlanned(many).length).toBeLessThan(encodePlanned([one]).length * 1.5);
    expect(decodePlanned(encodePlanned(many))).toEqual(many);
  });
});

function failureOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('packed bytes', () => {
  const start = () => ({ blobs: createMemoryBlobs(), newId: () => 'id' });

  it('are in the item while they are few, and an object of their own when they are not', async () => {
    const deps = start();
    const [few, many] = [new Uint8Array(2_048).fill(1), new Uint8Array(2_049).fill(2)];
    const [inItem, apart] = [await packBytes(deps, 'alerts/t/x', few), await packBytes(deps, 'alerts/t/x', many)];
    expect([inItem, apart]).toEqual([{ body: few }, { key: 'alerts/t/x/id' }]);
    expect([await unpackBytes(deps, inItem), await unpackBytes(deps, apart)]).toEqual([few, many]);
    expect(await unpackBytes(deps, packedIn({ pk: 'p', sk: 's' }))).toBeUndefined();
  });

  it('whose object is gone are unavailable and lost', async () => {
    const error = await unpackBytes(start(), { key: 'alerts/t/x/gone' }).catch((each: unknown) => each);
    expect([isOpsError(error, 'unavailable'), isLost(error)]).toEqual([true, true]);
  });

  it('are dropped only where something else took their place', async () => {
    const deps = start();
    const packed = await packBytes(deps, 'alerts/t/x', new Uint8Array(5_000));
    await dropPacked(deps, packed, packed);
    expect(deps.blobs.stored.size).toBe(1);
    await dropPacked(deps, packed, { body: new Uint8Array(1) });
    expect(deps.blobs.stored.size).toBe(0);
  });
});

describe('readOnce', () => {
  it('asks for each thing once, whoever asks at the same time, and passes writes on', async () => {
    const table = createMemoryTable();
    let reads = 0;
    const counted = {
      ...table,
      get: (key: { pk: string; sk: string }) => {
        reads++;
        return table.get(key);
      },
    };
    const once = readOnce(counted);
    const key = { pk: 'p', sk: 's' };
    await once.put({ ...key, n: 1 });
    expect(await Promise.all([once.get(key), once.get(key)])).toEqual([
      { ...key, n: 1 },
      { ...key, n: 1 },
    ]);
    await once.put({ ...key, n: 2 });
    expect([(await once.get(key))?.n, (await table.get(key))?.n, reads]).toEqual([1, 2, 1]);
  });

  it('asks again for what could not be read', async () => {
    const table = createMemoryTable();
    let isBroken = true;
    const once = readOnce({ ...table, query: (input) => (isBroken ? Promise.reject(new Error('broken')) : table.query(input)) });
    await expect(once.query({ pk: 'p' })).rejects.toThrow('broken');
    isBroken = false;
    expect(await once.query({ pk: 'p' })).toEqual({ items: [] });
  });
});

// biome-ignore-all lint/style/noExcessiveLinesPerFile: one suite, kept whole: what a table must do is easier to check against the port when it is in one place.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapConcurrent } from '#core/batch.ts';
import { compareUtf8 } from '#core/text.ts';
import type { Attribute, Changes, Condition, Item, QueryInput, Table, Write } from '#ports/table.ts';

/** A table for one run of the suite; it may hold other things and may be slow. */
export interface TableUnderTest {
  readonly port: Table;
  /** Another handle on the same table (a second process, a second client), where that can differ. */
  readonly other?: Table | undefined;
  /** Makes the store leave part of the next batch undone once (DynamoDB's UnprocessedItems), where a test can bring that about. */
  readonly leaveUndone?: (() => void) | undefined;
  close(): Promise<void>;
}

const SLOW_MS = 120_000;

async function queryAll(port: Table, input: QueryInput): Promise<{ items: Item[]; pages: number }> {
  const items: Item[] = [];
  let after: string | undefined;
  for (let pages = 1; ; pages++) {
    const page = await port.query({ ...input, after });
    if (input.limit !== undefined) expect(page.items.length).toBeLessThanOrEqual(input.limit);
    items.push(...page.items);
    if (page.next === undefined) return { items, pages };
    after = page.next;
  }
}

const roundTrips: readonly (readonly [string, Attribute])[] = [
  ['a string', 'text'],
  ['an empty string', ''],
  ['a string with every kind of character', 'a\0b\n"\\ \u00e4 \u20ac \ufffd \u{1f600}'],
  ['zero', 0],
  ['a negative number', -17],
  ['the greatest safe integer', Number.MAX_SAFE_INTEGER],
  ['the least safe integer', Number.MIN_SAFE_INTEGER],
  ['a fraction with 17 digits', 0.1 + 0.2],
  ['a large number', 1.2345678901234567e120],
  ['a small number', -9.87654321e-120],
  ['true', true],
  ['false', false],
  ['bytes', Uint8Array.from([0, 255, 1, 254, 128])],
  ['no bytes', new Uint8Array(0)],
  ['a list of strings, repeats and order kept', ['b', '', 'a', 'b']],
  ['a list of numbers, repeats and order kept', [3, 1.5, -2, 3]],
  ['an empty list', []],
];

const conditions: readonly (readonly [string, Condition, boolean])[] = [
  ['nothing is asked', {}, true],
  ['the item exists', { exists: true }, true],
  ['the item does not exist', { exists: false }, false],
  ['a string is equal', { equals: { s: 'm' } }, true],
  ['a string is not equal', { equals: { s: 'n' } }, false],
  ['a number is equal', { equals: { n: 5 } }, true],
  ['a number is not equal', { equals: { n: 5.5 } }, false],
  ['a number is asked for as a string', { equals: { n: '5' } }, false],
  ['a boolean is equal', { equals: { yes: true, no: false } }, true],
  ['a boolean is not equal', { equals: { yes: false } }, false],
  ['an empty string is equal', { equals: { none: '' } }, true],
  ['an empty string is not an absent one', { equals: { none: null } }, false],
  ['a list is compared with a string', { equals: { list: 'a' } }, false],
  ['an absent attribute is asked to be absent', { equals: { other: null } }, true],
  ['a present attribute is asked to be absent', { equals: { s: null } }, false],
  ['an absent attribute is asked to equal something', { equals: { other: 'm' } }, false],
  ['a number is at most an equal one', { atMost: { n: 5 } }, true],
  ['a number is at most a greater one', { atMost: { n: 10 } }, true],
  ['a number is at most a lesser one', { atMost: { n: 4.9 } }, false],
  ['a number is at least an equal one', { atLeast: { n: 5 } }, true],
  ['a number is at least a greater one', { atLeast: { n: 40 } }, false],
  ['a number is at least a lesser one', { atLeast: { n: -4 } }, true],
  ['a string is at most a later one', { atMost: { s: 'ma' } }, true],
  ['a string is at least an earlier one', { atLeast: { s: 'M' } }, true],
  ['a string is at least a later one', { atLeast: { s: 'n' } }, false],
  ['strings are ordered by their UTF-8 bytes', { atMost: { bmp: '\u{1f600}' }, atLeast: { astral: '\ufffd' } }, true],
  ['a number is at most a string', { atMost: { n: '9' } }, false],
  ['a string is at least a number', { atLeast: { s: 0 } }, false],
  ['an absent attribute is at most something', { atMost: { other: 1 } }, false],
  ['an absent attribute is at least something', { atLeast: { other: '' } }, false],
  ['every clause holds', { exists: true, equals: { s: 'm', other: null }, atMost: { n: 5 }, atLeast: { n: 5 } }, true],
  ['one clause of several fails', { exists: true, equals: { s: 'm' }, atMost: { n: 4 } }, false],
];

const conditionsOnNothing: readonly (readonly [string, Condition, boolean])[] = [
  ['the item exists', { exists: true }, false],
  ['the item does not exist', { exists: false }, true],
  ['an attribute is absent', { equals: { s: null } }, true],
  ['an attribute equals something', { equals: { s: 'm' } }, false],
  ['an attribute is at most something', { atMost: { n: 1 } }, false],
  ['an attribute is at least something', { atLeast: { n: -1 } }, false],
];

const badItems: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['an empty partition key', { pk: '' }],
  ['an empty sort key', { sk: '' }],
  ['a partition key over 1,024 bytes', { pk: 'p'.repeat(1_025) }],
  ['a sort key over 1,024 bytes', { sk: '\u20ac'.repeat(342) }],
  ['a sort key that is not well-formed text', { sk: 'a\ud800' }],
  ['an attribute that is not well-formed text', { s: '\udc00x' }],
  ['NaN', { n: Number.NaN }],
  ['infinity', { n: Number.POSITIVE_INFINITY }],
  ['infinity in a list', { list: [1, Number.NEGATIVE_INFINITY] }],
  ['a number of too great a magnitude', { n: 1e300 }],
  ['a number of too small a magnitude', { n: 1e-200 }],
  ['an attribute without a name', { '': 1 }],
  ['over 400 KB of bytes', { bytes: new Uint8Array(409_600) }],
  ['over 400 KB of text', { s: '\u20ac'.repeat(136_534) }],
  ['over 400 KB in a list', { list: Array.from({ length: 5_000 }, () => 'x'.repeat(81)) }],
];

const badChanges: readonly (readonly [string, Changes])[] = [
  ['the partition key', { set: { pk: 'other' } }],
  ['the sort key', { set: { sk: 'other' } }],
  ['one attribute twice', { set: { n: 1 }, add: { n: 1 } }],
  ['one attribute and removes it', { set: { n: 1 }, remove: ['n'] }],
  ['a string by adding', { add: { s: 1 } }],
  ['a number by adding NaN', { add: { n: Number.NaN } }],
  ['an attribute to infinity', { set: { n: Number.POSITIVE_INFINITY } }],
  ['an item past 400 KB', { set: { more: 'x'.repeat(409_600) } }],
];

/** What every implementation of Table must do. */
export function tableContract(name: string, make: () => Promise<TableUnderTest>): void {
  describe(`table: ${name}`, () => {
    let store: TableUnderTest;
    let port: Table;
    let other: Table;
    const fresh = () => `contract/${randomUUID()}`;
    beforeAll(async () => {
      store = await make();
      port = store.port;
      other = store.other ?? port;
    });
    afterAll(async () => store?.close());

    it('gives back an item, and undefined where there is none', async () => {
      const pk = fresh();
      await port.put({ pk, sk: 'a', n: 1, absent: undefined });
      expect(await other.get({ pk, sk: 'a' })).toStrictEqual({ pk, sk: 'a', n: 1 });
      expect(await port.get({ pk, sk: 'b' })).toBeUndefined();
      expect(await port.get({ pk: `${pk}-`, sk: 'a' })).toBeUndefined();
    });

    it.each(roundTrips)('keeps %s', async (_case, value) => {
      const pk = fresh();
      await port.put({ pk, sk: 'a', value });
      expect((await port.get({ pk, sk: 'a' }))?.value).toStrictEqual(value);
      expect((await port.query({ pk })).items[0].value).toStrictEqual(value);
      expect((await port.update({ pk, sk: 'b' }, { set: { value } })).value).toStrictEqual(value);
    });

    it('knows no negative zero', async () => {
      const pk = fresh();
      await port.put({ pk, sk: 'a', n: -0, list: [-0] });
      expect(await port.get({ pk, sk: 'a' })).toStrictEqual({ pk, sk: 'a', n: 0, list: [0] });
    });

    it('keeps attributes of any name', async () => {
      const pk = fresh();
      const names = [
        'size',
        'name',
        'a.b',
        '#hash',
        ':colon',
        'a b',
        'list[0]',
        '\u00e4',
        '__proto__x',
        '1',
        'constructor',
        'body',
        'expires',
      ];
      await port.put({ pk, sk: 'a', ...Object.fromEntries(names.map((attribute) => [attribute, attribute])) });
      const equals = Object.fromEntries(names.map((attribute) => [attribute, attribute]));
      const add = Object.fromEntries(names.map((attribute) => [`${attribute}+`, 1]));
      const item = await port.update({ pk, sk: 'a' }, { add, set: equals, remove: ['size.x'] }, { equals });
      for (const attribute of names) expect([item[attribute], item[`${attribute}+`]]).toEqual([attribute, 1]);
    });

    it('keeps an expiry that lies ahead', async () => {
      const pk = fresh();
      const expiresAtS = Math.floor(Date.now() / 1_000) + 86_400;
      await port.put({ pk, sk: 'a', expiresAtS });
      expect(await port.get({ pk, sk: 'a' })).toStrictEqual({ pk, sk: 'a', expiresAtS });
      expect(await port.update({ pk, sk: 'a' }, { remove: ['expiresAtS'] })).toStrictEqual({ pk, sk: 'a' });
      expect(await port.update({ pk, sk: 'a' }, { set: { expiresAtS } })).toStrictEqual({ pk, sk: 'a', expiresAtS });
    });

    it('is not affected by later changes to what was put or got', async () => {
      const pk = fresh();
      const bytes = Uint8Array.from([1, 2, 3]);
      const list = ['a'];
      const writing = port.put({ pk, sk: 'a', bytes, list });
      await writing;
      bytes.fill(9);
      list.push('b');
      const expected = { pk, sk: 'a', bytes: Uint8Array.from([1, 2, 3]), list: ['a'] };
      const got = await port.get({ pk, sk: 'a' });
      expect(got).toStrictEqual(expected);
      const gotBytes = got?.bytes;
      if (gotBytes instanceof Uint8Array) gotBytes.fill(9);
      expect(await port.get({ pk, sk: 'a' })).toStrictEqual(expected);
    });

    it('replaces the whole item with a put', async () => {
      const pk = fresh();
      await port.put({ pk, sk: 'a', one: 1, two: 2 });
      await port.put({ pk, sk: 'a', two: 'two' });
      expect(await port.get({ pk, sk: 'a' })).toStrictEqual({ pk, sk: 'a', two: 'two' });
    });

    it.each(badItems)('refuses an item with %s', async (_case, part) => {
      const pk = fresh();
      const item = { pk, sk: 'a', ...part } as Item;
      await expect(port.put(item)).rejects.toMatchObject({ kind: 'input' });
      await expect(port.batch([{ kind: 'put', item }])).rejects.toMatchObject({ kind: 'input' });
      await expect(port.transact([{ kind: 'put', item }])).rejects.toMatchObject({ kind: 'input' });
      expect((await port.query({ pk })).items).toEqual([]);
    });

    it('takes keys of 1,024 bytes', async () => {
      const pk = fresh().padEnd(1_024, 'p');
      const sk = `${'\u20ac'.repeat(341)}a`;
      await port.put({ pk, sk, n: 1 });
      expect(await port.get({ pk, sk })).toStrictEqual({ pk, sk, n: 1 });
      await expect(port.get({ pk: `${pk}p`, sk })).rejects.toMatchObject({ kind: 'input' });
      await expect(port.delete({ pk, sk: `${sk}a` })).rejects.toMatchObject({ kind: 'input' });
      await expect(port.update({ pk, sk: `${sk}a` }, {})).rejects.toMatchObject({ kind: 'input' });
      await expect(port.query({ pk: '' })).rejects.toMatchObject({ kind: 'input' });
    });

    it.each([
      ['bytes', new Uint8Array(409_300).fill(7)],
      ['text', 'x'.repeat(409_300)],
      ['text of three bytes a character', '\u20ac'.repeat(136_400)],
      ['a list', Array.from({ length: 5_000 }, () => 'x'.repeat(80))],
    ])('takes nearly 400 KB of %s', async (_case, value) => {
      const pk = fresh();
      await port.put({ pk, sk: 'a', value });
      expect((await port.get({ pk, sk: 'a' }))?.value).toStrictEqual(value);
    });

    it.each(conditions)('decides a condition on an item: %s', async (_case, condition, holds) => {
      const pk = fresh();
      const item = { pk, sk: 'a', s: 'm', n: 5, yes: true, no: false, none: '', list: ['a'], bmp: '\ufffd', astral: '\u{1f600}' };
      const conflict = { kind: 'conflict' };
      await port.put(item);
      if (holds) {
        await port.put({ ...item, kept: 1 }, condition);
        expect((await port.update({ pk, sk: 'a' }, { set: { kept: 2 } }, condition)).kept).toBe(2);
        await port.transact([
          { kind: 'check', key: { pk, sk: 'a' }, condition: { exists: true, ...condition } },
          { kind: 'put', item: { pk, sk: 'b' } },
        ]);
        expect(await port.get({ pk, sk: 'b' })).toBeDefined();
        await port.delete({ pk, sk: 'a' }, condition);
        expect(await port.get({ pk, sk: 'a' })).toBeUndefined();
      } else {
        await expect(port.put({ pk, sk: 'a' }, condition)).rejects.toMatchObject(conflict);
        await expect(port.update({ pk, sk: 'a' }, { set: { s: 'x' } }, condition)).rejects.toMatchObject(conflict);
        await expect(port.delete({ pk, sk: 'a' }, condition)).rejects.toMatchObject(conflict);
        const writes: Write[] = [
          { kind: 'check', key: { pk, sk: 'a' }, condition },
          { kind: 'put', item: { pk, sk: 'b' } },
        ];
        await expect(port.transact(writes)).rejects.toMatchObject(conflict);
        expect((await port.query({ pk })).items).toStrictEqual([item]);
      }
    });

    it.each(conditionsOnNothing)('decides a condition where there is no item: %s', async (_case, condition, holds) => {
      const pk = fresh();
      if (holds) {
        await port.delete({ pk, sk: 'a' }, condition);
        await port.put({ pk, sk: 'a', n: 1 }, condition);
        await port.update({ pk, sk: 'b' }, { set: { n: 2 } }, condition);
        expect((await port.query({ pk })).items).toStrictEqual([
          { pk, sk: 'a', n: 1 },
          { pk, sk: 'b', n: 2 },
        ]);
      } else {
        await expect(port.put({ pk, sk: 'a' }, condition)).rejects.toMatchObject({ kind: 'conflict' });
        await expect(port.update({ pk, sk: 'a' }, {}, condition)).rejects.toMatchObject({ kind: 'conflict' });
        await expect(port.delete({ pk, sk: 'a' }, condition)).rejects.toMatchObject({ kind: 'conflict' });
        expect((await port.query({ pk })).items).toEqual([]);
      }
    });

    it('sets, adds and removes in one update and answers the item as it is then', async () => {
      const pk = fresh();
      await port.put({ pk, sk: 'a', keep: 'k', n: 1, drop: true });
      const after = await port.update({ pk, sk: 'a' }, { set: { s: 'new' }, add: { n: 41, fresh: -2 }, remove: ['drop', 'never'] });
      expect(after).toStrictEqual({ pk, sk: 'a', keep: 'k', n: 42, s: 'new', fresh: -2 });
      expect(await port.get({ pk, sk: 'a' })).toStrictEqual(after);
    });

    it.each([
      ['changes', { add: { n: 1 } }, { n: 1 }],
      ['nothing to change', {}, {}],
      ['only something to remove', { remove: ['x'] }, {}],
      ['empty lists of changes', { set: {}, add: {}, remove: [] }, {}],
    ] as const)('creates an absent item by an update with %s', async (_case, changes, made) => {
      const pk = fresh();
      expect(await port.update({ pk, sk: 'a' }, changes)).toStrictEqual({ pk, sk: 'a', ...made });
      expect(await port.get({ pk, sk: 'a' })).toStrictEqual({ pk, sk: 'a', ...made });
    });

    it.each(badChanges)('refuses an update that changes %s', async (_case, changes) => {
      const pk = fresh();
      const item = { pk, sk: 'a', s: 'text', n: 1 };
      await port.put(item);
      await expect(port.update({ pk, sk: 'a' }, changes)).rejects.toMatchObject({ kind: 'input' });
      const writes: Write[] = [
        { kind: 'put', item: { pk, sk: 'b' } },
        { kind: 'update', key: { pk, sk: 'a' }, changes },
      ];
      await expect(port.transact(writes)).rejects.toMatchObject({ kind: 'input' });
      expect((await port.query({ pk })).items).toStrictEqual([item]);
    });

    it('deletes, and deletes nothing without complaint', async () => {
      const pk = fresh();
      await port.put({ pk, sk: 'a' });
      await port.delete({ pk, sk: 'a' });
      await port.delete({ pk, sk: 'a' });
      expect(await port.get({ pk, sk: 'a' })).toBeUndefined();
    });

    it(
      'lets exactly one of 64 concurrent first puts win',
      async () => {
        const pk = fresh();
        const puts = Array.from({ length: 64 }, (_, i) => (i % 2 ? port : other).put({ pk, sk: 'race', i }, { exists: false }));
        const outcomes = await Promise.allSettled(puts);
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ kind: 'conflict' });
        const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
        expect(await other.get({ pk, sk: 'race' })).toStrictEqual({ pk, sk: 'race', i: winner });
      },
      SLOW_MS,
    );

    it(
      'lets exactly one of 64 concurrent updates of one version win',
      async () => {
        const pk = fresh();
        await port.put({ pk, sk: 'race', version: 1 });
        const updates = Array.from({ length: 64 }, (_, i) =>
          (i % 2 ? port : other).update({ pk, sk: 'race' }, { set: { i }, add: { version: 1 } }, { equals: { version: 1 } }),
        );
        const outcomes = await Promise.allSettled(updates);
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
        const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
        expect(await other.get({ pk, sk: 'race' })).toStrictEqual({ pk, sk: 'race', version: 2, i: winner });
      },
      SLOW_MS,
    );

    it(
      'loses none of 64 concurrent additions, each of which sees its own sum',
      async () => {
        const pk = fresh();
        const sums = await Promise.all(
          Array.from({ length: 64 }, (_, i) =>
            (i % 2 ? port : other).update({ pk, sk: 'sum' }, { add: { n: 1 } }).then((item) => item.n as number),
          ),
        );
        expect(sums.sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
      },
      SLOW_MS,
    );

    it(
      'never lets concurrent transactions overdraw',
      async () => {
        const pk = fresh();
        await port.put({ pk, sk: 'from', n: 10 });
        const transfers = Array.from({ length: 40 }, (_, i) =>
          (i % 2 ? port : other).transact([
            { kind: 'update', key: { pk, sk: 'from' }, changes: { add: { n: -1 } }, condition: { atLeast: { n: 1 } } },
            { kind: 'update', key: { pk, sk: 'to' }, changes: { add: { n: 1 } } },
          ]),
        );
        const outcomes = await Promise.allSettled(transfers);
        const doubtful = outcomes.filter((outcome) => outcome.status === 'rejected' && outcome.reason.kind === 'unavailable').length;
        const done = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
        for (const outcome of outcomes)
          if (outcome.status === 'rejected') expect(['conflict', 'unavailable']).toContain(outcome.reason.kind);
        const [from, to] = (await other.query({ pk })).items.map((item) => item.n as number);
        expect(from + to).toBe(10);
        expect(to).toBeGreaterThanOrEqual(done);
        expect(to).toBeLessThanOrEqual(done + doubtful);
        expect(doubtful > 0 || done === 10).toBe(true);
      },
      SLOW_MS,
    );

    it('does every kind of write in one transaction', async () => {
      const pk = fresh();
      await port.put({ pk, sk: 'gone', n: 1 });
      await port.put({ pk, sk: 'seen', n: 2 });
      await port.transact([
        { kind: 'put', item: { pk, sk: 'new', n: 3 }, condition: { exists: false } },
        { kind: 'update', key: { pk, sk: 'sum' }, changes: { add: { n: 4 } } },
        { kind: 'delete', key: { pk, sk: 'gone' }, condition: { equals: { n: 1 } } },
        { kind: 'check', key: { pk, sk: 'seen' }, condition: { atLeast: { n: 2 } } },
        { kind: 'put', item: { pk: `${pk}/2`, sk: 'new', n: 5 } },
      ]);
      expect((await port.query({ pk })).items.map((item) => [item.sk, item.n])).toEqual([
        ['new', 3],
        ['seen', 2],
        ['sum', 4],
      ]);
      expect((await port.query({ pk: `${pk}/2` })).items).toHaveLength(1);
    });

    it.each([0, 1, 2, 3])('does nothing of a transaction whose condition %i fails', async (failing) => {
      const pk = fresh();
      await mapConcurrent(['0', '1', '2', '3'], 4, (sk) => port.put({ pk, sk, n: Number(sk) === failing ? -1 : Number(sk) }));
      const before = (await port.query({ pk })).items;
      const writes: Write[] = [
        { kind: 'put', item: { pk, sk: '0', changed: true }, condition: { equals: { n: 0 } } },
        { kind: 'update', key: { pk, sk: '1' }, changes: { set: { changed: true } }, condition: { equals: { n: 1 } } },
        { kind: 'delete', key: { pk, sk: '2' }, condition: { equals: { n: 2 } } },
        { kind: 'check', key: { pk, sk: '3' }, condition: { equals: { n: 3 } } },
        { kind: 'put', item: { pk, sk: '4', changed: true } },
      ];
      await expect(port.transact(writes)).rejects.toMatchObject({ kind: 'conflict' });
      expect((await port.query({ pk })).items).toStrictEqual(before);
    });

    it(
      'refuses a transaction of no writes, of 101, of two on one key, and of over 4 MB',
      async () => {
        const pk = fresh();
        const puts = (count: number, more: Record<string, Attribute> = {}): Write[] =>
          Array.from({ length: count }, (_, i) => ({ kind: 'put', item: { pk, sk: `${i}`, ...more } }));
        const input = { kind: 'input' };
        await expect(port.transact([])).rejects.toMatchObject(input);
        await expect(port.transact(puts(101))).rejects.toMatchObject(input);
        await expect(port.transact(puts(12, { bytes: new Uint8Array(380_000) }))).rejects.toMatchObject(input);
        for (const second of [
          { kind: 'put', item: { pk, sk: '0', n: 2 } },
          { kind: 'update', key: { pk, sk: '0' }, changes: { set: { n: 2 } } },
          { kind: 'delete', key: { pk, sk: '0' } },
          { kind: 'check', key: { pk, sk: '0' }, condition: { exists: false } },
        ] satisfies Write[]) {
          await expect(port.transact([...puts(2), second])).rejects.toMatchObject(input);
        }
        expect((await port.query({ pk })).items).toEqual([]);
        await port.transact(puts(100, { text: 'x'.repeat(1_000) }));
        expect((await queryAll(port, { pk })).items).toHaveLength(100);
      },
      SLOW_MS,
    );

    it(
      'writes a batch of any number of puts and deletes',
      async () => {
        const pk = fresh();
        await port.batch([]);
        await port.batch(Array.from({ length: 130 }, (_, i) => ({ kind: 'put', item: { pk, sk: `${i}`.padStart(4, '0'), i } })));
        expect((await queryAll(port, { pk })).items.map((item) => item.i)).toEqual(Array.from({ length: 130 }, (_, i) => i));
        await port.batch([
          ...Array.from({ length: 129 }, (_, i) => ({ kind: 'delete', key: { pk, sk: `${i}`.padStart(4, '0') } }) as const),
          { kind: 'delete', key: { pk, sk: 'never' } },
          { kind: 'put', item: { pk, sk: 'new' } },
        ]);
        expect((await port.query({ pk })).items.map((item) => item.sk)).toEqual(['0129', 'new']);
      },
      SLOW_MS,
    );

    it(
      'writes a batch of 60 items of 350 KB',
      async () => {
        const pk = fresh();
        await port.batch(
          Array.from({ length: 60 }, (_, i) => ({ kind: 'put', item: { pk, sk: `${100 + i}`, body: new Uint8Array(350_000).fill(i) } })),
        );
        const { items } = await queryAll(port, { pk });
        expect(items.map((item) => (item.body as Uint8Array)[349_999])).toEqual(Array.from({ length: 60 }, (_, i) => i));
      },
      SLOW_MS,
    );

    it('refuses a batch with a bad item and leaves whole what it has written of it', async () => {
      const pk = fresh();
      const good = Array.from({ length: 30 }, (_, i) => ({ kind: 'put', item: { pk, sk: `${100 + i}`, n: i } }) as const);
      await expect(port.batch([...good, { kind: 'put', item: { pk, sk: 'bad', n: Number.NaN } }])).rejects.toMatchObject({ kind: 'input' });
      for (const item of (await port.query({ pk })).items) expect(item).toStrictEqual({ pk, sk: item.sk, n: Number(item.sk) - 100 });
      await port.batch(good);
      expect((await port.query({ pk })).items).toHaveLength(30);
    });

    it(
      'finishes a batch of which the store leaves a part undone',
      async () => {
        const pk = fresh();
        store.leaveUndone?.();
        await port.batch(Array.from({ length: 20 }, (_, i) => ({ kind: 'put', item: { pk, sk: `${100 + i}` } })));
        expect((await queryAll(port, { pk })).items).toHaveLength(20);
      },
      SLOW_MS,
    );

    it('orders sort keys by their UTF-8 bytes', async () => {
      const pk = fresh();
      const keys = [
        'a',
        'B',
        'a/b',
        'a0',
        '\u00e4',
        'z',
        '\ufffd',
        '\u{1f600}',
        '\u{1f600}a',
        '\ue000',
        '~',
        ' ',
        '\u0001',
        'a\u0000',
        'aa',
        '10',
        '9',
      ];
      await port.batch(keys.map((sk) => ({ kind: 'put', item: { pk, sk } })));
      const sorted = [...keys].sort(compareUtf8);
      expect((await queryAll(port, { pk })).items.map((item) => item.sk)).toEqual(sorted);
      expect((await queryAll(port, { pk, limit: 3 })).items.map((item) => item.sk)).toEqual(sorted);
      expect((await queryAll(port, { pk, limit: 3, reverse: true })).items.map((item) => item.sk)).toEqual([...sorted].reverse());
    });

    it.each([
      ['everything', {}, 0, 50],
      ['from a key on', { from: '010' }, 10, 50],
      ['from a key that is not there', { from: '0095' }, 10, 50],
      ['to a key, which is left out', { to: '010' }, 0, 10],
      ['to a key that is not there', { to: '0095' }, 0, 10],
      ['a range', { from: '010', to: '020' }, 10, 20],
      ['an empty range', { from: '010', to: '010' }, 0, 0],
      ['a range that runs backwards', { from: '020', to: '010' }, 0, 0],
      ['a range past everything', { from: '9' }, 0, 0],
      ['a range before everything', { to: '0' }, 0, 0],
    ] as const)(
      'queries %s, in pages of any size and both directions',
      async (_case, range, first, end) => {
        const pk = fresh();
        await port.batch(Array.from({ length: 50 }, (_, i) => ({ kind: 'put', item: { pk, sk: `${i}`.padStart(3, '0'), i } })));
        await port.put({ pk: `${pk}0`, sk: '011' });
        const expected = Array.from({ length: end - first }, (_, i) => first + i);
        for (const limit of [undefined, 1, 7, 10, 50, 1_000]) {
          const up = await queryAll(port, { pk, ...range, limit });
          expect(up.items.map((item) => item.i)).toEqual(expected);
          const down = await queryAll(port, { pk, ...range, limit, reverse: true });
          expect(down.items.map((item) => item.i)).toEqual([...expected].reverse());
        }
      },
      SLOW_MS,
    );

    it('refuses a page of no items', async () => {
      await expect(port.query({ pk: fresh(), limit: 0 })).rejects.toMatchObject({ kind: 'input' });
      await expect(port.query({ pk: fresh(), limit: 1.5 })).rejects.toMatchObject({ kind: 'input' });
    });

    it('goes on where a page ended although items come and go between pages', async () => {
      const pk = fresh();
      const put = (sk: string) => port.put({ pk, sk });
      for (const sk of ['b', 'd', 'f', 'h']) await put(sk);
      const first = await port.query({ pk, limit: 2 });
      expect(first.items.map((item) => item.sk)).toEqual(['b', 'd']);
      await port.delete({ pk, sk: 'd' });
      for (const sk of ['a', 'c', 'e']) await put(sk);
      const second = await port.query({ pk, after: first.next });
      expect(second.items.map((item) => item.sk)).toEqual(['e', 'f', 'h']);
    });

    it(
      'pages through a partition of many megabytes',
      async () => {
        const pk = fresh();
        await port.batch(
          Array.from({ length: 40 }, (_, i) => ({ kind: 'put', item: { pk, sk: `${100 + i}`, body: 'x'.repeat(100_000) } })),
        );
        const { items, pages } = await queryAll(port, { pk });
        expect(items.map((item) => item.sk)).toEqual(Array.from({ length: 40 }, (_, i) => `${100 + i}`));
        expect(pages).toBeGreaterThan(1);
      },
      SLOW_MS,
    );

    it(
      'reads its own writes at once through every handle',
      async () => {
        const pk = fresh();
        await mapConcurrent(
          Array.from({ length: 40 }, (_, i) => i),
          8,
          async (i) => {
            await (i % 2 ? port : other).put({ pk, sk: `${i}`, i });
            expect((await (i % 2 ? other : port).get({ pk, sk: `${i}` }))?.i).toBe(i);
            expect((await (i % 2 ? other : port).query({ pk, from: `${i}`, limit: 1 })).items[0].i).toBe(i);
          },
        );
      },
      SLOW_MS,
    );
  });
}

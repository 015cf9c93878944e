import { describe, expect, it } from 'vitest';
import { type BusRule, createLocalBus, type DeadLetter, type LocalBusDeps } from '#local/local-bus.ts';
import type { BusEvent } from '#ports/bus.ts';
import { faultAt, faulty } from '#ports/faulty.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import { createFakeTime, rest } from './fake-timers.ts';

const event = (id: string, tenant = 'a'): BusEvent => ({
  source: 'quarterdeck.storage',
  detailType: 'Block Committed',
  detail: { id, tenant },
});
const pattern = { source: ['quarterdeck.storage'], 'detail-type': ['Block Committed'] };

function setUp(more: Partial<LocalBusDeps> = {}) {
  const time = createFakeTime(0);
  const table = createMemoryTable();
  const letters: DeadLetter[] = [];
  let ids = 0;
  const deps: LocalBusDeps = {
    table,
    timers: time.timers,
    random: () => 0.5,
    newId: () => `id-${++ids}`,
    onDeadLetter: async (letter) => void letters.push(letter),
    ...more,
  };
  return { deps, time, table, letters, bus: createLocalBus(deps) };
}

function recorder(name: string, more: Partial<BusRule> = {}) {
  const heard: unknown[] = [];
  const rule: BusRule = { name, pattern, handle: async ({ detail }) => void heard.push(detail.id), ...more };
  return { heard, rule };
}

describe('local bus', () => {
  it.each([
    ['matches source and type', pattern, true],
    ['has another source', { ...pattern, source: ['aws.s3'] }, false],
    ['has another type', { ...pattern, 'detail-type': ['Alert Firing'] }, false],
    ['has one of several sources', { ...pattern, source: ['aws.s3', 'quarterdeck.storage'] }, true],
    ['matches a field of the detail', { ...pattern, detail: { tenant: ['b', 'a'] } }, true],
    ['has another value in a field', { ...pattern, detail: { tenant: ['b'] } }, false],
    ['names a field that is not there', { ...pattern, detail: { other: ['x'] } }, false],
  ] as const)('hands an event to a rule that %s: %o %s', async (_case, wanted, matches) => {
    const { bus, table } = setUp();
    const { heard, rule } = recorder('r', { pattern: wanted });
    bus.subscribe(rule);
    await bus.publish([event('1')]);
    await bus.idle();
    expect(heard).toEqual(matches ? ['1'] : []);
    expect(table.items()).toEqual([]);
  });

  it('hands an event to each rule that matches, and tries again only where it failed', async () => {
    const { bus, time, letters } = setUp();
    const good = recorder('good');
    let failures = 2;
    const shaky = recorder('shaky', {
      handle: async ({ detail }) => {
        if (failures-- > 0) throw new Error('not now');
        shaky.heard.push(detail.id);
      },
    });
    bus.subscribe(good.rule);
    bus.subscribe(shaky.rule);
    await bus.publish([event('1')]);
    await time.advance(10_000);
    expect([good.heard, shaky.heard, letters]).toEqual([['1'], ['1'], []]);
  });

  it('waits longer before each try, then gives up and says so once', async () => {
    const { bus, time, letters, table } = setUp();
    const tries: number[] = [];
    const { rule } = recorder('broken', {
      handle: async () => {
        tries.push(time.clock());
        throw new Error('never');
      },
    });
    bus.subscribe(rule);
    await bus.publish([event('1')]);
    await time.advance(60_000);
    expect(tries).toEqual([0, 750, 2_250, 5_250, 11_250]);
    expect(letters).toEqual([{ rule: 'broken', event: event('1'), error: 'Error: never' }]);
    expect(table.items()).toEqual([]);
  });

  it('runs a bounded number of handlers at once, and all of them in the end', async () => {
    const { bus } = setUp({ concurrency: 3 });
    let running = 0;
    let most = 0;
    const { heard, rule } = recorder('slow', {
      handle: async ({ detail }) => {
        most = Math.max(most, ++running);
        await rest();
        running--;
        heard.push(detail.id);
      },
    });
    bus.subscribe(rule);
    await bus.publish(Array.from({ length: 20 }, (_, i) => event(`${i}`)));
    await bus.idle();
    expect([most, heard.length]).toEqual([3, 20]);
  });

  it('delivers what handlers publish', async () => {
    const { bus } = setUp();
    const { heard, rule } = recorder('second', { pattern: { ...pattern, source: ['quarterdeck.alerts'] } });
    bus.subscribe(rule);
    bus.subscribe({
      name: 'first',
      pattern,
      handle: ({ detail }) => bus.publish([{ ...event(`${detail.id}b`), source: 'quarterdeck.alerts' }]),
    });
    await bus.publish([event('1')]);
    await bus.idle();
    expect(heard).toEqual(['1b']);
  });

  it('hands on after a restart what was being tried when it was stopped', async () => {
    const { bus, deps, table } = setUp();
    const { rule } = recorder('r', { handle: () => Promise.reject(new Error('down')) });
    bus.subscribe(rule);
    await bus.publish([event('1'), event('2')]);
    await rest();
    await bus.stop();
    await bus.publish([event('3')]);
    expect(table.items()).toHaveLength(3);
    const next = createLocalBus(deps);
    const { heard, rule: works } = recorder('r');
    next.subscribe(works);
    await next.resume();
    await next.idle();
    expect(heard.sort()).toEqual(['1', '2', '3']);
    expect(table.items()).toEqual([]);
  });

  it('gives up after a restart what no rule wants any more', async () => {
    const { bus, deps, letters, table } = setUp();
    bus.subscribe(recorder('old', { handle: () => Promise.reject(new Error('down')) }).rule);
    await bus.publish([event('1')]);
    await bus.stop();
    const next = createLocalBus(deps);
    await next.resume();
    await next.idle();
    expect(letters.map((letter) => letter.error)).toEqual(['there is no rule old any more']);
    expect(table.items()).toEqual([]);
  });

  it('keeps a delivery whose dead letter nobody takes', async () => {
    const { bus, deps, letters, table } = setUp({ attempts: 1, onDeadLetter: () => Promise.reject(new Error('full')) });
    bus.subscribe(recorder('r', { handle: () => Promise.reject(new Error('down')) }).rule);
    await bus.publish([event('1')]);
    await bus.idle();
    expect(table.items()).toHaveLength(1);
    const next = createLocalBus({ ...deps, onDeadLetter: async (letter) => void letters.push(letter) });
    await next.resume();
    await next.idle();
    expect(letters).toHaveLength(1);
  });

  it('does not take an event that it could not keep', async () => {
    const { deps } = setUp();
    const { ports } = faulty({ table: deps.table }, faultAt(1, 'fail-before'));
    const bus = createLocalBus({ ...deps, ...ports });
    const { heard, rule } = recorder('r');
    bus.subscribe(rule);
    await expect(bus.publish([event('1')])).rejects.toMatchObject({ kind: 'unavailable' });
    await bus.idle();
    expect(heard).toEqual([]);
  });
});

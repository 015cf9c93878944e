import { describe, expect, it } from 'vitest';
import { isOpsError, OpsError } from '#core/errors.ts';
import { evaluateFlag } from '#flags/evaluate-flag.ts';
import { type FlagDefinition, readFlagDefinition } from '#flags/flag-definition.ts';
import { parseFlagSet } from '#flags/flag-set.ts';
import { createEnvironment } from '#flags/logic/environment.ts';
import { readAudit } from '#flags/store/audit.ts';
import { changeFlag } from '#flags/store/change-flag.ts';
import { createFlagReader, type FileFlags } from '#flags/store/flag-view.ts';
import { planDelete, planKill, planPut } from '#flags/store/plan-change.ts';
import { createRollouts } from '#flags/store/rollouts.ts';
import { createFlagUsage, readUsage } from '#flags/store/usage.ts';
import { CrashError, FAULTS, type Fault, faultAt, faulty, type PortCall } from '#ports/faulty.ts';
import { createMemoryTable } from '#ports/memory/memory-table.ts';
import type { Table } from '#ports/table.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const flag = (percentage: number): FlagDefinition => readFlagDefinition({ ...onOff, rollout: { variant: 'on', percentage } }, 'flag');
const filed = parseFlagSet(JSON.stringify({ flags: { filed: onOff } })).flags.get('filed')!;
const FILES: FileFlags = new Map([['filed', { ...filed, file: 'flags/shop.json' }]]);
const files = async () => FILES;

function createStore(stored: Table = createMemoryTable()) {
  let ids = 0;
  const deps = (table: Table) => ({ table, files, now: () => NOW, newId: () => `id${++ids}` });
  const input = (key: string, by = 'ann') => ({ tenant: 'a', key, by, reason: '' });
  const read = createFlagReader(stored, files);
  const evaluate = async (key: string, targetingKey = 'ann') => {
    const found = (await read('a')).flags.get(key);
    return (
      found?.compiled &&
      evaluateFlag(
        found.compiled,
        createEnvironment({ targetingKey }, NOW, () => 0),
      )
    );
  };
  return { stored, deps, input, read, evaluate };
}

/** Each version once in the audit, and an event for each. */
async function checkHistory(stored: Table, key: string): Promise<number> {
  const audit = await readAudit(stored, 'a', key, { limit: 100 });
  const versions = audit.map(({ version }) => version).reverse();
  expect(versions).toEqual(versions.map((_, i) => i + 1));
  const events = (await stored.query({ pk: 'outbox' })).items.map(({ event }) => JSON.parse(String(event)).detail);
  const told = events.filter((detail) => detail.flag === key).map(({ version }) => version);
  expect(told.sort((a, b) => a - b)).toEqual(versions);
  return versions.length;
}

/** Does it with the fault, and again as a caller would who heard nothing or that it may not have taken effect. */
async function doTwice(stored: Table, plan: (call: PortCall) => Fault | undefined, act: (table: Table) => Promise<unknown>): Promise<void> {
  const { ports, settle } = faulty({ table: stored }, plan);
  await act(ports.table).catch((error: unknown) => {
    if (!(error instanceof CrashError) && !isOpsError(error)) throw error;
  });
  await settle();
  await act(stored);
}

describe('a change of a flag', () => {
  const cases = [1, 2, 3, 4].flatMap((call) => FAULTS.map((fault) => [fault, call] as const));

  it.each(cases)('takes effect once whatever befalls it: %s at call %d', async (fault, call) => {
    const { stored, deps, input, evaluate } = createStore();
    await doTwice(stored, faultAt(call, fault), (table) =>
      changeFlag(deps(table), input('banner'), (current) => planPut(current, flag(100), 'any', false)),
    );
    expect([await evaluate('banner'), await checkHistory(stored, 'banner')]).toMatchObject([{ value: true }, 1]);
    const set = (table: Table) =>
      createRollouts(deps(table)).set('a', 'banner', 0, { expectedVersion: 1, by: 'release r', reason: '', boundTo: 'r' });
    await doTwice(stored, faultAt(call, fault), set);
    expect([await evaluate('banner'), await checkHistory(stored, 'banner')]).toMatchObject([{ value: false }, 2]);
    await doTwice(stored, faultAt(call, fault), (table) =>
      changeFlag(deps(table), input('filed'), (current) => planKill(current, { at: '', by: 'ann', reason: '' })),
    );
    expect([await evaluate('filed'), await checkHistory(stored, 'filed')]).toMatchObject([{ reason: 'DISABLED', value: false }, 1]);
    await doTwice(stored, faultAt(call, fault), (table) =>
      changeFlag(deps(table), input('banner'), (current) => planDelete(current, 'any', true)),
    );
    expect([await evaluate('banner'), await checkHistory(stored, 'banner')]).toEqual([undefined, 3]);
  });

  it('is not lost among those of others at once', async () => {
    const { stored, deps, input, read } = createStore();
    const own = deps(stored);
    await Promise.all(
      ['a', 'b', 'c'].flatMap((key) =>
        [1, 2, 3].map(async (percentage) => {
          for (;;) {
            try {
              return await changeFlag(own, input(key), (current) => planPut(current, flag(percentage), 'any', false));
            } catch (error) {
              if (!isOpsError(error, 'unavailable')) throw error;
            }
          }
        }),
      ),
    );
    for (const key of ['a', 'b', 'c']) expect(await checkHistory(stored, key)).toBe(3);
    expect((await read('a')).flags.size).toBe(4);
  });

  it('is refused for one of two who saw the same version', async () => {
    const { stored, deps, input } = createStore();
    const own = deps(stored);
    await changeFlag(own, input('banner'), (current) => planPut(current, flag(1), 'none', false));
    const both = await Promise.allSettled(
      [2, 3].map((percentage) => changeFlag(own, input('banner'), (current) => planPut(current, flag(percentage), 1, false))),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((each) => each.status === 'rejected')).toMatchObject({ reason: { kind: 'conflict' } });
    expect(await checkHistory(stored, 'banner')).toBe(2);
  });
});

describe('a damaged item', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a definition that breaks off', { definition: '{"state":' }],
    ['a definition that is no object', { definition: '7' }],
    ['a definition that is no flag', { definition: '{}' }],
    ['targeting of a later version', { definition: JSON.stringify({ ...onOff, targeting: { teleport: [] } }) }],
    ['a kill that is no object', { definition: JSON.stringify(onOff), kill: 'true' }],
  ])('with %s says so, hurts no other flag, and can be written over', async (_, damage) => {
    const { stored, deps, input, read, evaluate } = createStore();
    const own = deps(stored);
    for (const key of ['banner', 'other']) await changeFlag(own, input(key), (current) => planPut(current, flag(100), 'none', false));
    const item = (await stored.get({ pk: 'flags/a', sk: 'banner' }))!;
    await stored.put({ ...item, changeId: 'damaged', ...damage } as typeof item);
    await stored.update({ pk: 'flags/set/a', sk: 'version' }, { add: { version: 1 } });
    const view = await read('a');
    expect([view.flags.get('banner')?.problem, view.flags.get('banner')?.compiled]).toEqual([expect.stringMatching(/banner/), undefined]);
    expect(await evaluate('other')).toMatchObject({ value: true });
    // What compiles no more can be turned off all the same; what does not read can only be written anew.
    if (!String(damage.definition).includes('teleport')) {
      const kill = changeFlag(own, input('banner'), (current) => planKill(current, { at: '', by: 'ann', reason: '' }));
      await expect(kill).rejects.toMatchObject({ kind: 'conflict', message: expect.stringMatching(/"banner" cannot be read/) });
    }
    await changeFlag(own, { ...input('banner'), overDamage: true }, (current) => planPut(current, flag(100), 'any', false));
    expect(await evaluate('banner')).toMatchObject({ value: true });
    expect(await checkHistory(stored, 'banner')).toBe(2);
  });

  it('of a file’s flag starts over when it is turned off', async () => {
    const { stored, deps, input, evaluate } = createStore();
    await stored.put({ pk: 'flags/a', sk: 'filed', version: 3, changeId: 'x', isDeleted: false, rollout: '{"variant":7}' });
    await changeFlag(deps(stored), input('filed'), (current) => planKill(current, { at: '', by: 'ann', reason: '' }));
    expect(await evaluate('filed')).toMatchObject({ reason: 'DISABLED', value: false });
  });
});

describe('reading flags', () => {
  it('asks the table once a request, and for all flags only where one changed', async () => {
    const { stored, deps, input } = createStore();
    await changeFlag(deps(stored), input('banner'), (current) => planPut(current, flag(1), 'none', false));
    const { ports, calls } = faulty({ table: stored }, () => undefined);
    const read = createFlagReader(ports.table, files);
    const first = await read('a');
    for (let i = 0; i < 3; i++) expect(await read('a')).toBe(first);
    expect(calls.map(({ name }) => name)).toEqual(['table.get', 'table.query', ...Array(3).fill('table.get')]);
    await changeFlag(deps(stored), input('second'), (current) => planPut(current, flag(1), 'none', false));
    const second = await read('a');
    // What did not change is not compiled again.
    expect([second.flags.size, second.flags.get('banner')]).toEqual([3, first.flags.get('banner')]);
    expect(second.flags.get('banner')).toBe(first.flags.get('banner'));
  });

  it('goes on after a failure', async () => {
    const { stored, deps, input } = createStore();
    await changeFlag(deps(stored), input('banner'), (current) => planPut(current, flag(1), 'none', false));
    let isBroken = true;
    const query: Table['query'] = async (asked) => {
      if (isBroken) throw new OpsError('conflict', 'broken');
      return stored.query(asked);
    };
    const read = createFlagReader({ ...stored, query }, files);
    await expect(read('a')).rejects.toThrow('broken');
    isBroken = false;
    expect((await read('a')).flags.size).toBe(2);
  });
});

describe('what is noted of evaluations', () => {
  it('is kept while it cannot be written, and fails no request', async () => {
    const clock = { nowMs: NOW };
    const stored = createMemoryTable();
    const { ports } = faulty({ table: stored }, (call) => (call.number <= 2 ? 'fail-before' : undefined));
    const usage = createFlagUsage(ports.table, () => clock.nowMs);
    usage.note('a', 'banner', 'on', 'single');
    for (let i = 0; i < 3; i++) {
      clock.nowMs += 60_000;
      await usage.flush();
    }
    expect(await readUsage(stored, 'a')).toEqual([{ flag: 'banner', variant: 'on', asked: 'single', day: '2026-11-27' }]);
    usage.note('a', 'banner', undefined, 'bulk');
    clock.nowMs += 86_400_000;
    usage.note('a', 'banner', 'on', 'single');
    await usage.flush();
    expect((await readUsage(stored, 'a')).map(({ variant, day }) => `${variant} ${day}`).sort()).toEqual([' 2026-11-27', 'on 2026-11-28']);
    expect(await readUsage(stored, 'b')).toEqual([]);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { type InboxEntry, inboxWrite, listInbox, openEntry } from '#alerts/dispatch/inbox.ts';
import { compileRouting } from '#alerts/dispatch/routing.ts';
import { evaluateRules } from '#alerts/evaluate/evaluate-rules.ts';
import { readPointers } from '#alerts/evaluate/group-pointer.ts';
import { OpsError } from '#core/errors.ts';
import { DAY_MS, MINUTE_MS } from '#core/time.ts';
import { DEAD_LETTERS } from '#ports/dead-letters.ts';
import type { MemoryTable } from '#ports/memory/memory-table.ts';
import { alertRule, createWorld, groupOf, type Process, ROUTING, START, seriesOf, startProcess, TENANT, type World } from './world.ts';

let world: World;
let process: Process;
/** Inbox entries that a test has looked at. */
const seen = new Set<string>();

beforeEach(() => {
  world = createWorld();
  process = startProcess(world, world.ports, 'p');
  seen.clear();
});

/** `up` of one job: one value a minute, from the start on. */
function feedUp(values: readonly number[], job = 'x'): void {
  world.feed(
    seriesOf({ __name__: 'up', job }),
    START - MINUTE_MS,
    [1, ...values].flatMap((value) => Array(4).fill(value)),
  );
}

/** What was told into the inbox since the last time, in order: `+Down` fires, `-Down` is over. */
async function tellings(): Promise<string[]> {
  const entries = (await listInbox(world.ports.table, TENANT)).filter(({ sk }) => !seen.has(sk));
  for (const { sk } of entries) seen.add(sk);
  const lists = await Promise.all(entries.map((entry: InboxEntry) => openEntry(world.ports, entry)));
  return lists.flatMap((list) => (list ?? []).map(({ labels, endsAtMs }) => `${Number.isFinite(endsAtMs) ? '-' : '+'}${labels.alertname}`));
}

async function evaluateAt(minute: number, by: Process = process) {
  world.clock.nowMs = START + minute * MINUTE_MS;
  return by.evaluate();
}

const valueAt = (series: string, minute: number) =>
  [...world.written].find(([key]) => key.includes(series))?.[1].get(START + minute * MINUTE_MS);
const down = alertRule('Down', 'up == 0');

describe('evaluateRules', () => {
  it('tells an alert when it begins to fire and when it is over, and nothing in between', async () => {
    world.state.groups = [groupOf('a', [down])];
    feedUp([0, 0, 0, 1, 1]);
    for (const minute of [0, 1, 2]) await evaluateAt(minute);
    expect(await tellings()).toEqual(['+Down']);
    await evaluateAt(3);
    expect(await tellings()).toEqual(['-Down']);
  });

  it('tells again what fires on with other annotations', async () => {
    world.state.groups = [groupOf('a', [alertRule('Down', 'up < 5', { annotations: { is: '{{ $value }}' } })])];
    feedUp([2, 2, 3]);
    for (const minute of [0, 1, 2]) await evaluateAt(minute);
    expect(await tellings()).toEqual(['+Down', '+Down']);
  });

  it('catches up with what it missed, the latest ten evaluations at most', async () => {
    world.state.groups = [groupOf('a', [down])];
    feedUp(Array(40).fill(0));
    await evaluateAt(0);
    expect((await evaluateAt(5)).evaluations.length).toBe(5);
    expect(await evaluateAt(30)).toMatchObject({ skipped: 15, evaluations: { length: 10 } });
    expect(await evaluateAt(30)).toEqual({ evaluations: [], skipped: 0 });
  });

  it('one tenant that cannot be read, and one group that cannot be written, stop no other', async () => {
    feedUp([0, 0]);
    const groups = [groupOf('bad', [alertRule('Bad', 'up == 0')]), groupOf('good', [down])];
    const deps = {
      ...process.deps.evaluate,
      groups: async (tenant: string) => (tenant === 'a' ? Promise.reject(new OpsError('input', 'broken file')) : groups),
      write: async (_: string, samples: readonly { series: { json: string } }[]) => {
        if (samples.some(({ series }) => series.json.includes('Bad'))) throw new OpsError('unavailable', 'full');
      },
    };
    world.clock.nowMs = START;
    await expect(evaluateRules(deps, ['a', TENANT])).rejects.toThrow('2 of 2 failed');
    expect(await tellings()).toEqual(['+Down']);
  });

  it('a group that fails does not keep one that is gone from its end', async () => {
    feedUp([0, 0, 0]);
    world.state.groups = [groupOf('gone', [down])];
    await evaluateAt(0);
    world.state.groups = [groupOf('bad', [alertRule('Bad', 'up == 0')])];
    const deps = { ...process.deps.evaluate, openView: () => ({ ...process.deps.evaluate.openView(TENANT), query: failingQuery() }) };
    world.clock.nowMs = START + MINUTE_MS;
    await expect(evaluateRules(deps, [TENANT])).rejects.toThrow('no answer');
    expect(await tellings()).toEqual(['+Down', '-Down']);
  });

  const failingQuery = () => ({
    ...process.deps.evaluate.openView(TENANT).query,
    instant: () => Promise.reject(new OpsError('unavailable', 'no answer')),
  });

  it('an evaluation that could not read is made again, and counts as failed only after two minutes', async () => {
    world.state.groups = [groupOf('a', [down])];
    feedUp([0, 0, 0, 0]);
    await evaluateAt(0);
    const broken = { ...process.deps.evaluate, openView: () => ({ ...process.deps.evaluate.openView(TENANT), query: failingQuery() }) };
    world.clock.nowMs = START + MINUTE_MS;
    await expect(evaluateRules(broken, [TENANT])).rejects.toThrow('no answer');
    world.clock.nowMs += 30_000;
    expect((await process.evaluate()).evaluations.length).toBe(1);
    expect([0, 1].map((minute) => valueAt('"alertstate":"firing"', minute))).toEqual([1, 1]);
    world.clock.nowMs = START + 4 * MINUTE_MS;
    const { evaluations } = await evaluateRules(broken, [TENANT]).catch(() => ({ evaluations: [] }));
    expect(evaluations).toEqual([]);
    expect([...(await readPointers(world.ports.table, TENANT)).values()]).toMatchObject([
      { evaluatedAtMs: START + 2 * MINUTE_MS, error: 'no answer' },
    ]);
  });

  it('an expression that is wrong by itself fails at once, and its neighbours go on', async () => {
    world.state.groups = [groupOf('a', [alertRule('Bad', 'up * on () up'), down])];
    feedUp([0, 0]);
    feedUp([0, 0], 'y');
    const { evaluations } = await evaluateAt(0);
    expect(evaluations[0].errors.length).toBe(1);
    expect(await tellings()).toEqual(['+Down', '+Down']);
  });

  it('an error as long as a book is cut, and does not keep the group from being committed', async () => {
    world.state.groups = [groupOf('a', [down])];
    const query = { ...failingQuery(), instant: () => Promise.reject(new OpsError('input', `\ud800${'x'.repeat(1e6)}`)) };
    world.clock.nowMs = START;
    const deps = { ...process.deps.evaluate, openView: () => ({ ...process.deps.evaluate.openView(TENANT), query }) };
    await evaluateRules(deps, [TENANT]);
    expect([...(await readPointers(world.ports.table, TENANT)).values()][0].error.length).toBe(1_000);
  });

  it('an alert that two rules fire is over when the last of them is', async () => {
    feedUp([0, 0, 1, 1]);
    feedUp([0, 0, 0, 0, 1], 'y');
    world.state.groups = [groupOf('a', [alertRule('Down', 'sum(up{job="x"}) == 0'), alertRule('Down', 'sum(up{job="y"}) == 0')])];
    for (const minute of [0, 1]) await evaluateAt(minute);
    await tellings();
    for (const minute of [2, 3]) await evaluateAt(minute);
    expect(await tellings()).toEqual([]);
    await evaluateAt(4);
    expect(await tellings()).toEqual(['-Down']);
  });

  it('an alert that groups of two files fire is over when the last of them is', async () => {
    feedUp([0, 0, 1, 1]);
    feedUp([0, 0, 0, 0, 1], 'y');
    world.state.groups = [
      groupOf('a', [alertRule('Down', 'sum(up{job="x"}) == 0')]),
      groupOf('b', [alertRule('Down', 'sum(up{job="y"}) == 0')]),
    ];
    for (const minute of [0, 1]) await evaluateAt(minute);
    await tellings();
    for (const minute of [2, 3]) await evaluateAt(minute);
    expect(await tellings()).toEqual([]);
    await evaluateAt(4);
    expect(await tellings()).toEqual(['-Down']);
  });

  it('a group that moves to another file keeps its alerts firing', async () => {
    world.state.groups = [groupOf('a', [down])];
    world.state.routing = compileRouting(ROUTING);
    feedUp([0, 0, 0, 0, 0]);
    await evaluateAt(0);
    await process.dispatch();
    world.state.groups = [groupOf('b', [down])];
    world.clock.nowMs += 30_000;
    await process.turn();
    await evaluateAt(1);
    await process.turn();
    expect(world.told.flatMap(({ planned }) => planned.alerts.map(({ endsAtMs }) => endsAtMs))).toEqual([Number.POSITIVE_INFINITY]);
    expect(valueAt('"alertstate":"firing"', 1)).toBe(1);
  });

  it('a group that is gone ends its alerts, its series and its state', async () => {
    world.state.groups = [groupOf('a', [down])];
    feedUp([0, 0]);
    await evaluateAt(0);
    world.state.groups = [];
    await evaluateAt(1);
    expect(await tellings()).toEqual(['+Down', '-Down']);
    expect(valueAt('"alertstate":"firing"', 1)).toBeNaN();
    expect((await readPointers(world.ports.table, TENANT)).size).toBe(0);
  });

  it('files that cannot be read end nothing', async () => {
    world.state.groups = [groupOf('a', [down])];
    feedUp([0, 0]);
    await evaluateAt(0);
    const deps = { ...process.deps.evaluate, groups: () => Promise.reject(new OpsError('input', 'rules/a.yaml:1:1: broken')) };
    world.clock.nowMs = START + MINUTE_MS;
    await expect(evaluateRules(deps, [TENANT])).rejects.toThrow('broken');
    expect(await tellings()).toEqual(['+Down']);
    expect((await readPointers(world.ports.table, TENANT)).size).toBe(1);
  });

  it('a state that is lost comes back from what ALERTS_FOR_STATE said, in the samples too', async () => {
    world.state.groups = [groupOf('a', [alertRule('Down', 'up == 0', { forMs: 20 * MINUTE_MS })])];
    feedUp(Array(40).fill(0));
    for (const minute of [0, 1, 2, 3]) await evaluateAt(minute);
    const { table } = world.ports;
    for (const { pk, sk } of (table as MemoryTable).items()) if (pk.startsWith('alerts/groups')) await table.delete({ pk, sk });
    // A crash between the samples and the pointer: the same again.
    const dying = { ...process.deps.evaluate, table: { ...table, transact: () => Promise.reject(new OpsError('input', 'died')) } };
    world.clock.nowMs = START + 4 * MINUTE_MS;
    await expect(evaluateRules(dying, [TENANT])).rejects.toThrow('died');
    for (let minute = 5; minute < 22; minute++) await evaluateAt(minute);
    // One minute that nobody evaluated does not count, as in Prometheus.
    expect([3, 4, 5, 6].map((minute) => (valueAt('ALERTS_FOR_STATE', minute) as number) - START / 1_000)).toEqual([0, 60, 120, 120]);
    expect(await tellings()).toEqual([]);
    await evaluateAt(22);
    expect(await tellings()).toEqual(['+Down']);
  });

  it('a clock that was a day ahead delays nothing once it is right again', async () => {
    world.state.groups = [groupOf('a', [alertRule('Down', 'up == 0', { forMs: 2 * MINUTE_MS })])];
    feedUp([0, 0, 0, 0, 0, 0, 0, 1]);
    world.feed(seriesOf({ __name__: 'up', job: 'x' }), START + DAY_MS - MINUTE_MS, Array(8).fill(0));
    await evaluateAt(0);
    world.clock.nowMs = START + DAY_MS;
    await process.evaluate();
    await tellings();
    for (const minute of [2, 3, 4, 5]) await evaluateAt(minute);
    expect((await tellings()).at(-1)).toBe('+Down');
    for (const minute of [6, 7]) await evaluateAt(minute);
    expect(await tellings()).toEqual(['-Down']);
  });
});

describe('dispatchAlerts', () => {
  it('an inbox entry that a half-done clearing left does not come back as an alert', async () => {
    world.state.groups = [groupOf('a', [down])];
    feedUp([0, 1, 1, 1]);
    await evaluateAt(0);
    await process.turn();
    world.clock.nowMs = START + MINUTE_MS;
    await process.evaluate();
    const [left] = (world.ports.table as MemoryTable).items().filter(({ pk }) => pk.startsWith('alerts/inbox'));
    await process.dispatch();
    await world.ports.table.put(left);
    for (const minute of [2, 3]) {
      world.clock.nowMs = START + minute * MINUTE_MS;
      await process.turn();
    }
    expect(world.told.map(({ planned }) => planned.reason)).toEqual(['first-notification', 'all-alerts-resolved']);
    expect((await listInbox(world.ports.table, TENANT)).length).toBe(0);
  });

  it('takes in an inbox of any length in one run, and an entry that cannot be read is a dead letter', async () => {
    const { table } = world.ports;
    for (let i = 0; i < 1_203; i++) {
      const times = { startsAtMs: START, endsAtMs: Number.POSITIVE_INFINITY, updatedAtMs: START };
      const alert = { labels: { alertname: 'A', i: String(i) }, annotations: {}, ...times, generatorUrl: '' };
      await table.transact([await inboxWrite(process.deps.dispatch, TENANT, [alert], START)]);
    }
    await table.put({ pk: `alerts/inbox/${TENANT}`, sk: '0#bad', body: new Uint8Array([1]) });
    await table.put({ pk: `alerts/inbox/${TENANT}`, sk: '0#gone', key: `alerts/${TENANT}/inbox/gone` });
    const reports = await process.dispatch();
    expect(reports.reduce((sum, { taken }) => sum + taken, 0)).toBe(1_205);
    expect(reports.at(-1)?.alerts).toBe(1_203);
    expect((table as MemoryTable).items().filter(({ pk }) => pk === DEAD_LETTERS).length).toBe(2);
    expect(await listInbox(table, TENANT)).toEqual([]);
  });
});

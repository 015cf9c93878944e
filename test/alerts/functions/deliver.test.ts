import { beforeEach, describe, expect, it } from 'vitest';
import { deliverNotifications } from '#alerts/deliver/deliver-notifications.ts';
import { batchWrite } from '#alerts/deliver/delivery-batch.ts';
import { openEntry } from '#alerts/dispatch/inbox.ts';
import type { PlannedDelivery, ToldAlert } from '#alerts/dispatch/plan-dispatch.ts';
import { packedIn } from '#alerts/packed-bytes.ts';
import type { Verdict } from '#alerts/receivers/verdict.ts';
import { HOUR_MS, MINUTE_MS } from '#core/time.ts';
import { DEAD_LETTERS } from '#ports/dead-letters.ts';
import type { MemoryTable } from '#ports/memory/memory-table.ts';
import { createWorld, type Process, START, startProcess, TENANT, type World } from './world.ts';

let world: World;
let process: Process;
let version = 0;

beforeEach(() => {
  world = createWorld();
  process = startProcess(world, world.ports, 'p');
  version = 0;
});

function told(name: string, isOver = false): ToldAlert {
  const endsAtMs = isOver ? START : Number.POSITIVE_INFINITY;
  const times = { startsAtMs: START - HOUR_MS, endsAtMs, updatedAtMs: START };
  return { labels: { alertname: name }, annotations: {}, ...times, generatorUrl: '', fingerprint: name };
}

function plan(alerts: readonly ToldAlert[], more: Partial<PlannedDelivery> = {}): PlannedDelivery {
  const whom = { receiver: 'hook', integration: 'webhook_configs/0', groupKey: '{}:{}', groupLabels: {} };
  return { ...whom, alerts, reason: 'first-notification', atMs: world.clock.nowMs, ...more };
}

/** What a dispatch hands over. */
async function handOver(planned: readonly PlannedDelivery[], tenant = TENANT): Promise<void> {
  await world.ports.table.transact([await batchWrite(process.deps.deliver, tenant, ++version, planned)]);
}

const items = (prefix: string) => (world.ports.table as MemoryTable).items().filter(({ pk }) => pk.startsWith(prefix));
const namesTold = () => world.told.map(({ planned }) => planned.alerts.map(({ fingerprint }) => fingerprint).join());
const failing: Verdict = { kind: 'retry', reason: 'answered 500' };

describe('deliverNotifications', () => {
  it('sends each integration its own, once, and leaves nothing behind but the log', async () => {
    await handOver([
      plan([told('a')]),
      plan([told('a')], { integration: 'webhook_configs/1' }),
      plan([told('b')], { groupKey: '{}:{x="1"}' }),
    ]);
    expect(await process.deliver()).toEqual({ sent: 3, retried: 0, gaveUp: 0 });
    expect(await process.deliver()).toEqual({ sent: 0, retried: 0, gaveUp: 0 });
    expect(new Set(world.told.map(({ key }) => key)).size).toBe(3);
    expect([...items('alerts/deliveries'), ...items('alerts/lanes'), ...items('alerts/batches')]).toEqual([]);
    expect(items('alerts/told').map(({ outcome, attempts, alerts }) => ({ outcome, attempts, alerts }))).toEqual(
      Array(3).fill({ outcome: 'sent', attempts: 1, alerts: 1 }),
    );
  });

  it('repeats what failed under the same key, later and later, not before the receiver asked for it', async () => {
    world.state.verdict = () => ({ ...failing, retryAfterMs: 60_000 });
    await handOver([plan([told('a')])]);
    expect(await process.deliver()).toEqual({ sent: 0, retried: 1, gaveUp: 0 });
    world.clock.nowMs += 59_000;
    expect(await process.deliver()).toEqual({ sent: 0, retried: 0, gaveUp: 0 });
    world.state.verdict = () => ({ kind: 'sent' });
    world.clock.nowMs += 1_000;
    expect(await process.deliver()).toEqual({ sent: 1, retried: 0, gaveUp: 0 });
    expect(new Set(world.told.map(({ key }) => key)).size).toBe(1);
  });

  it('gives up what is refused, into a dead letter and an alert of its own', async () => {
    world.state.verdict = () => ({ kind: 'refused', reason: 'answered 404' });
    await handOver([plan([told('a')])]);
    expect(await process.deliver()).toEqual({ sent: 0, retried: 0, gaveUp: 1 });
    expect(items(DEAD_LETTERS)).toMatchObject([{ from: 'notification to hook/webhook_configs/0', error: 'answered 404' }]);
    const [entry] = items('alerts/inbox');
    expect(await openEntry(world.ports, { sk: entry.sk, packed: packedIn(entry) })).toMatchObject([
      { labels: { alertname: 'NotificationFailed', receiver: 'hook', integration: 'webhook_configs/0' }, endIsTimeout: true },
    ]);
  });

  it('gives up what did not arrive in four hours', async () => {
    world.state.verdict = () => failing;
    await handOver([plan([told('a')])]);
    let gaveUp = 0;
    for (let minute = 0; minute < 300; minute++) {
      gaveUp += (await process.deliver()).gaveUp;
      world.clock.nowMs += MINUTE_MS;
    }
    expect(gaveUp).toBe(1);
    expect(items(DEAD_LETTERS)[0].error).toMatch(/^not delivered in \d+ tries; the last: answered 500$/);
  });

  it('gives up after as long where every process dies while it sends', async () => {
    await handOver([plan([told('a')])]);
    const dying = startProcess(world, { ...world.ports, receiver: { send: () => new Promise(() => {}) } }, 'q');
    for (let minute = 0; minute <= 240; minute += 3) {
      void dying.deliver();
      await new Promise((resolve) => setImmediate(resolve));
      world.clock.nowMs += 3 * MINUTE_MS;
    }
    expect(await process.deliver()).toEqual({ sent: 0, retried: 0, gaveUp: 1 });
    expect(items(DEAD_LETTERS)[0].error).toMatch(/the last of which did not end$/);
  });

  it('tries again what a defect kept from being sent, and sends the others', async () => {
    const send = async (planned: PlannedDelivery, key: string): Promise<Verdict> => {
      if (planned.receiver === 'bad') throw new TypeError('secret is undefined');
      return world.ports.receiver.send(planned, key);
    };
    await handOver([plan([told('a')], { receiver: 'bad' }), plan([told('b')])]);
    const defect = startProcess(world, { ...world.ports, receiver: { send } }, 'q');
    expect(await defect.deliver()).toEqual({ sent: 1, retried: 1, gaveUp: 0 });
    expect(items('alerts/told').find(({ outcome }) => outcome === 'retried')?.reason).not.toContain('secret');
  });

  it('a later notification of a group takes over what the earlier one still owed', async () => {
    world.state.verdict = () => failing;
    await handOver([plan([told('gone', true), told('here')])]);
    await process.deliver();
    await handOver([plan([told('here', true), told('new')])]);
    world.state.verdict = () => ({ kind: 'sent' });
    world.clock.nowMs += MINUTE_MS;
    expect(await process.deliver()).toEqual({ sent: 1, retried: 0, gaveUp: 0 });
    expect(namesTold()).toEqual(['gone,here', 'here,new,gone']);
    expect(world.told[1].planned.alerts[0].endsAtMs).toBe(START);
    expect(world.told[0].key).not.toBe(world.told[1].key);
    expect(items('alerts/deliveries')).toEqual([]);
  });

  it('what fired in an earlier notification is not taken over: the later one says how it stands', async () => {
    await handOver([plan([told('held')])]);
    await handOver([plan([told('new')])]);
    expect(await process.deliver()).toEqual({ sent: 1, retried: 0, gaveUp: 0 });
    expect(namesTold()).toEqual(['new']);
  });

  it('two that take the same batches apart and send at once send each thing once', async () => {
    const planned = Array.from({ length: 100 }, (_, i) => plan([told(`a${i}`)], { groupKey: `g${i}` }));
    await handOver(planned);
    const results = await Promise.all([process.deliver(), startProcess(world, world.ports, 'q').deliver()]);
    expect(results[0].sent + results[1].sent).toBe(100);
    expect(new Set(world.told.map(({ key }) => key)).size).toBe(100);
    expect(world.told.length).toBe(100);
  });

  it('a batch that plans one lane twice tells it once', async () => {
    await handOver([plan([told('a')]), plan([told('b')])]);
    expect(await process.deliver()).toEqual({ sent: 1, retried: 0, gaveUp: 0 });
  });

  it('a batch that cannot be read is a dead letter, and keeps nobody else from being told', async () => {
    const item = { pk: 'alerts/batches', sk: 'a#000000000001', tenant: 'a', version: 1, steps: 0 };
    await world.ports.table.put({ ...item, body: new Uint8Array([1, 2, 3]) });
    await world.ports.table.put({ ...item, sk: 'a#000000000002', key: 'alerts/a/batches/gone' });
    await handOver([plan([told('b')])]);
    expect(await process.deliver()).toEqual({ sent: 1, retried: 0, gaveUp: 0 });
    expect(items(DEAD_LETTERS).length).toBe(2);
    expect(items('alerts/batches')).toEqual([]);
  });

  it('a delivery that cannot be read is given up, and the others are sent', async () => {
    world.state.verdict = () => failing;
    await handOver([plan([told('a')]), plan([told('b')], { groupKey: 'b' })]);
    await process.deliver();
    const [lane] = items('alerts/lanes');
    await world.ports.table.put({ ...lane, body: new Uint8Array([9]) });
    world.state.verdict = () => ({ kind: 'sent' });
    world.clock.nowMs += MINUTE_MS;
    expect(await process.deliver()).toEqual({ sent: 1, retried: 0, gaveUp: 1 });
  });

  it('of a run for one tenant, nobody else is told anything', async () => {
    await handOver([plan([told('a')])], 'one');
    await handOver([plan([told('b')])], 'two');
    expect(await deliverNotifications({ ...process.deps.deliver, onlyTenant: 'two' })).toEqual({ sent: 1, retried: 0, gaveUp: 0 });
    expect(namesTold()).toEqual(['b']);
    expect(await process.deliver()).toEqual({ sent: 1, retried: 0, gaveUp: 0 });
  });

  it('begins nothing that it has no time to end', async () => {
    await handOver([plan([told('a')])]);
    expect(await deliverNotifications({ ...process.deps.deliver, remainingMs: () => 59_000 })).toEqual({ sent: 0, retried: 0, gaveUp: 0 });
    expect(world.told).toEqual([]);
  });

  it('what a clock a day ahead has put off is sent when the clock is right again', async () => {
    world.clock.nowMs += 24 * HOUR_MS;
    world.state.verdict = () => failing;
    await handOver([plan([told('a')])]);
    await process.deliver();
    world.state.verdict = () => ({ kind: 'sent' });
    world.clock.nowMs -= 24 * HOUR_MS;
    expect(await process.deliver()).toEqual({ sent: 1, retried: 0, gaveUp: 0 });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEventBridgeClient } from '#aws/clients.ts';
import { createEventBus, planRequests } from '#aws/event-bus.ts';
import { defaultRetry } from '#core/retry.ts';
import type { Bus } from '#ports/bus.ts';
import { type EventsServer, startEventsServer } from './events-server.ts';

const eventOf = (id: number) => ({ source: 'quarterdeck.test', detailType: 'Tested', detail: { id } });

describe('planRequests', () => {
  const entry = (sizeBytes: number) => ({ Detail: 'x'.repeat(sizeBytes) });
  it.each([
    ['nothing', [], []],
    ['eleven small entries by tens', Array.from({ length: 11 }, () => entry(5)), [10, 1]],
    ['large entries by size', [entry(200_000), entry(50_000), entry(10_000), entry(10)], [2, 2]],
    ['the largest entries alone', [entry(204_800), entry(204_800)], [1, 1]],
  ])('splits %s', (_case, entries, sizes) => {
    expect(planRequests(entries).map((request) => request.length)).toEqual(sizes);
  });
});

describe('an EventBridge bus when entries fail', () => {
  let server: EventsServer;
  let bus: Bus;
  beforeAll(async () => {
    server = await startEventsServer();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    const client = createEventBridgeClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    bus = createEventBus({ client, busName: 'main', retry: { ...defaultRetry, attempts: 3, baseDelayMs: 1 } });
    server.refuse(() => undefined);
  });

  it('sends again the failed entries and no other', async () => {
    const first = server.requests.length;
    const before = server.received.length;
    server.refuse((entry, request) => (request === first && entry >= 3 ? 'InternalFailure' : undefined));
    await bus.publish(Array.from({ length: 5 }, (_, id) => eventOf(id)));
    expect(server.requests.slice(first)).toEqual([5, 2]);
    expect(server.received.slice(before).map((event) => event.detail.id)).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives up with unavailable, naming the bus and the code', async () => {
    const first = server.requests.length;
    server.refuse((entry) => (entry === 0 ? 'ThrottlingException' : undefined));
    const error = { kind: 'unavailable', message: expect.stringMatching(/"main" refused 1 of 2 events: ThrottlingException/) };
    await expect(bus.publish([eventOf(1), eventOf(2)])).rejects.toMatchObject(error);
    expect(server.requests.slice(first)).toEqual([2, 1, 1]);
  });

  it('does not repeat an entry that can never be taken', async () => {
    const first = server.requests.length;
    server.refuse(() => 'NotAuthorizedForSourceException');
    await expect(bus.publish([eventOf(1)])).rejects.toMatchObject({ kind: 'input' });
    expect(server.requests.slice(first)).toEqual([1]);
  });
});

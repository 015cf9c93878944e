import { afterEach, beforeEach, expect, it } from 'vitest';
import { createEventTargets } from '#aws/event-targets.ts';
import { defaultRetry } from '#core/retry.ts';
import { type EventsServer, startEventsServer } from './events-server.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'key-secret' };
const event = { source: 'quarterdeck.alerts', detailType: 'Notification Sent', detail: { id: '1' } };

let server: EventsServer;
beforeEach(async () => {
  server = await startEventsServer();
});
afterEach(() => server.stop());

const targets = () =>
  createEventTargets({
    region: 'eu-central-1',
    endpoint: server.endpoint,
    credentials,
    retry: { ...defaultRetry, sleep: async () => undefined },
  });

it('an event goes to the bus that is named, and is sent again where that helps', async () => {
  server.refuse((_, request) => (request === 0 ? 'ThrottlingException' : undefined));
  await targets().publish({ busName: 'arn:aws:events:eu-west-1:1:event-bus/ops', event, access: {} });
  expect(server.received).toEqual([event]);
  expect(server.requests).toEqual([1, 1]);
});

it('one that the bus will never take is input', async () => {
  server.refuse(() => 'NotAuthorizedForSourceException');
  await expect(targets().publish({ busName: 'ops', event, access: { region: 'eu-west-1' } })).rejects.toMatchObject({ kind: 'input' });
});

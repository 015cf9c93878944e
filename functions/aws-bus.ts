import { createEventBridgeClient } from '#aws/clients.ts';
import { createEventBus } from '#aws/event-bus.ts';
import type { Bus } from '#ports/bus.ts';

/** The bus of the deployment, for the functions that publish. */
export function openAwsBus(busName: string): Bus {
  return createEventBus({ client: createEventBridgeClient({}), busName });
}

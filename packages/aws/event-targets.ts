import { createCache } from '#core/bounded-cache.ts';
import type { RetryOptions } from '#core/retry.ts';
import type { Bus } from '#ports/bus.ts';
import type { EventTargets, TargetedEvent } from '#ports/event-targets.ts';
import { type ClientOptions, createEventBridgeClient } from './clients.ts';
import { createEventBus } from './event-bus.ts';

export interface EventTargetsDeps extends ClientOptions {
  readonly retry?: RetryOptions | undefined;
}

const MAX_BUSES = 16;

/** The EventTargets port on EventBridge, as the running role unless an event brings credentials. */
export function createEventTargets(deps: EventTargetsDeps): EventTargets {
  const buses = createCache<Bus>({ maxEntries: MAX_BUSES });
  return {
    async publish(target) {
      const options = chooseOptions(deps, target);
      const key = JSON.stringify([target.busName, options]);
      const bus =
        buses.get(key) ?? createEventBus({ client: createEventBridgeClient(options), busName: target.busName, retry: deps.retry });
      buses.set(key, bus);
      await bus.publish([target.event]);
    },
  };
}

/** A bus named by its ARN is where that says. */
function chooseOptions(deps: ClientOptions, { busName, access }: TargetedEvent): ClientOptions {
  const [, , , arnRegion] = busName.split(':');
  return {
    region: access.region ?? (arnRegion || deps.region),
    endpoint: deps.endpoint,
    credentials: access.credentials ?? deps.credentials,
  };
}

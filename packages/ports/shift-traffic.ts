import { OpsError } from '#core/errors.ts';
import { describeTraffic, isSameTraffic, type TrafficState } from './traffic.ts';

/** How a driver reads what holds and sets another state, in its world's terms. */
export interface TrafficStep<World> {
  /** What is shifted, for messages: `alias live of function shop`. */
  readonly place: string;
  read(): Promise<{ readonly world: World; readonly state: TrafficState }>;
  /** Sets the state over what was read. `conflict` where the world lets it be seen that somebody else has set another since. */
  set(to: TrafficState, over: World): Promise<void>;
}

/**
 * The course of every shift, which gives back what was asked for: read; done if it is so already; refused where neither `from` nor `to` holds; set; read back. `conflict` as the port
 * says, `unavailable` where the world took it and does not show it yet.
 */
export async function shiftByStep<World>(step: TrafficStep<World>, from: TrafficState, to: TrafficState): Promise<TrafficState> {
  const { world, state } = await step.read();
  if (isSameTraffic(state, to)) return to;
  if (!isSameTraffic(state, from)) throw changedByOthers(step.place, state, from, to);
  await step.set(to, world);
  const { state: after } = await step.read();
  if (isSameTraffic(after, to)) return to;
  throw new OpsError('unavailable', `${step.place}: asked for ${describeTraffic(to)}, and it still has ${describeTraffic(after)}`);
}

function changedByOthers(place: string, state: TrafficState, from: TrafficState, to: TrafficState): OpsError {
  return new OpsError(
    'conflict',
    `${place}: has ${describeTraffic(state)}, which is neither ${describeTraffic(from)} nor ${describeTraffic(to)}; nothing was changed`,
    { hint: 'Somebody else has shifted traffic. Put it back, or abort the release.' },
  );
}

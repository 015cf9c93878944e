import { OpsError } from '#core/errors.ts';
import { isSameTraffic, type TrafficDriver, type TrafficState, type TrafficTarget } from '#ports/traffic.ts';
import { inTurn, type MemoryOptions } from './memory-options.ts';

/** One change of traffic that took effect. */
export interface TrafficChange {
  readonly place: string;
  readonly by: 'shift' | 'restore' | 'somebody';
  readonly from: TrafficState;
  readonly to: TrafficState;
}

/** Traffic in memory, with everything that was done to it. */
export interface MemoryTraffic extends TrafficDriver {
  /** Changes that took effect, in order; a call that found things as they are to be is none. */
  readonly changes: readonly TrafficChange[];
  /** What holds at a place, by `application/environment`. */
  at(place: string): TrafficState;
  /** Somebody else changes it. */
  set(place: string, state: TrafficState): void;
}

/** Makes places that have all their traffic on `stable` until something is done to them. */
export function createMemoryTraffic(stable: string, options: MemoryOptions = {}): MemoryTraffic {
  const places = new Map<string, TrafficState>();
  const changes: TrafficChange[] = [];
  const at = (place: string): TrafficState => places.get(place) ?? { stable, weight: 0 };
  const set = (place: string, by: TrafficChange['by'], to: TrafficState) => {
    if (!isSame(at(place), to)) changes.push({ place, by, from: at(place), to });
    places.set(place, to);
    return to;
  };
  return {
    changes,
    at,
    set: (place, state) => void set(place, 'somebody', state),
    read: (target) => inTurn(options, () => at(placeOf(target))),
    capture: (target) => inTurn(options, () => ({ state: at(placeOf(target)) })),
    shift: (target, from, to) =>
      inTurn(options, () => {
        const now = at(placeOf(target));
        if (!isSameTraffic(now, from) && !isSameTraffic(now, to))
          throw new OpsError(
            'conflict',
            `${placeOf(target)} is at ${JSON.stringify(now)}, neither ${JSON.stringify(from)} nor ${JSON.stringify(to)}`,
          );
        return set(placeOf(target), 'shift', to);
      }),
    restore: (target, captured) => inTurn(options, () => set(placeOf(target), 'restore', captured.state as TrafficState)),
  };
}

function placeOf({ application, environment }: TrafficTarget): string {
  return `${application}/${environment}`;
}

function isSame(a: TrafficState, b: TrafficState): boolean {
  return a.stable === b.stable && a.canary === b.canary && a.weight === b.weight;
}

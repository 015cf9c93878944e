import type { Clock } from '#core/time.ts';
import type { ImportContinued, ImportFinished } from '#model/events.ts';
import type { BusEvent } from '#ports/bus.ts';

interface EventDeps {
  readonly now: Clock;
  readonly newId: () => string;
}

/** Asks for the next run of an import. */
export function importContinued(deps: EventDeps, detail: Omit<ImportContinued, 'id' | 'at'>): BusEvent {
  return eventOf(deps, 'Import Continued', detail);
}

/** Tells how an import ended. */
export function importFinished(deps: EventDeps, detail: Omit<ImportFinished, 'id' | 'at'>): BusEvent {
  return eventOf(deps, 'Import Finished', detail);
}

function eventOf({ now, newId }: EventDeps, detailType: string, detail: object): BusEvent {
  return { source: 'quarterdeck.ingest', detailType, detail: { id: newId(), at: new Date(now()).toISOString(), ...detail } };
}

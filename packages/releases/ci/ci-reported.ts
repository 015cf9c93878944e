import { CiReported } from '#model/release-events.ts';
import type { BusEvent } from '#ports/bus.ts';

/** The event as it goes over the bus. */
export function ciReportedEvent(detail: CiReported): BusEvent {
  return { source: 'quarterdeck.releases', detailType: 'Ci Reported', detail: CiReported.parse(detail) };
}

import * as z from 'zod';
import { CiReport } from '#model/ci-report.ts';
import type { BusEvent } from '#ports/bus.ts';

/** A CI system said something of a version, and was who it claimed to be. */
export const CiReported = z.object({
  /** Unique: the same event may come twice. */
  id: z.string().min(1),
  tenant: z.string().min(1),
  /** When it was taken in. */
  at: z.iso.datetime(),
  report: CiReport,
});
export type CiReported = z.infer<typeof CiReported>;

/** The event as it goes over the bus. */
export function ciReportedEvent(detail: CiReported): BusEvent {
  return { source: 'quarterdeck.releases', detailType: 'Ci Reported', detail: CiReported.parse(detail) };
}

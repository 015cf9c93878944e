import { packJson, unpackJson } from '#alerts/packed-bytes.ts';
import { OpsError } from '#core/errors.ts';
import type { BusEvent } from '#ports/bus.ts';
import type { Cluster, Incident, IncidentState, Member } from './incident.ts';
import type { Learned } from './learned.ts';

/** What is decided and not yet written, since one transaction takes only so much. */
export type Pending = { readonly event: BusEvent } | { readonly closed: ClosedIncident };

/** An incident that is over, with those of its alerts that are kept. */
export interface ClosedIncident {
  readonly incident: Incident;
  readonly members: readonly Member[];
}

/** A tenant's incidents as they are stored. */
export interface IncidentBook {
  readonly state: IncidentState;
  readonly pending: readonly Pending[];
}

const VERSION = 1;

/** `unavailable` for bytes of another form. */
function read<T extends { readonly v: number }>(bytes: Uint8Array, what: string): T {
  return unpackJson(bytes, what, (value: T) => {
    if (value.v !== VERSION) throw new OpsError('unavailable', `${what} has version ${value.v}, not ${VERSION}`);
    return value;
  });
}

/** The bytes of a tenant's incidents: zstd of JSON. */
export function encodeIncidents({ state: { alerts, clusters, learned }, pending }: IncidentBook): Uint8Array {
  return packJson({ v: VERSION, alerts: [...alerts.values()], clusters, learned, pending });
}

/** What `encodeIncidents` packed; `unavailable` for anything else. */
export function decodeIncidents(bytes: Uint8Array): IncidentBook {
  const book = read<{ v: number; alerts: Member[]; clusters: Cluster[]; learned: Learned; pending: Pending[] }>(bytes, 'the incident book');
  const alerts = new Map(book.alerts.map((member) => [member.fingerprint, member]));
  return { state: { alerts, clusters: book.clusters, learned: book.learned }, pending: book.pending };
}

/** The bytes of an incident that is over. */
export function encodeClosed(closed: ClosedIncident): Uint8Array {
  return packJson({ v: VERSION, ...closed });
}

/** What `encodeClosed` packed; `unavailable` for anything else. */
export function decodeClosed(bytes: Uint8Array): ClosedIncident {
  const { incident, members } = read<ClosedIncident & { v: number }>(bytes, 'an incident');
  return { incident, members };
}
